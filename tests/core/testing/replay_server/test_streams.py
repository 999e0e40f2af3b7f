"""Streamed chat completions: the same answer, token by token."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pointsman.testing.replay_server import Recorded, ReplayServer

ANSWER = Recorded(text="Grüße aus 東京 👋", input_tokens=5, output_tokens=9, logprob=-0.5)


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """Serve one answer full of accents and emoji."""
    with ReplayServer({("m", "hello"): ANSWER}) as running:
        yield running


def test_tokens_join_to_the_answer(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """The first event opens the message, the last closes it, and no token breaks a character."""
    reply = ask(server, "m", "hello", stream=True)
    assert reply.headers["content-type"] == "text/event-stream"
    events = reply.events
    deltas = [event["choices"][0]["delta"] for event in events]
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert "".join(delta.get("content") or "" for delta in deltas) == ANSWER.text
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["stop"]
    assert len({event["id"] for event in events}) == 1
    assert {event["object"] for event in events} == {"chat.completion.chunk"}


def test_usage_comes_only_when_asked_for(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """With `include_usage` a last event without choices has it, and it is the unstreamed answer's."""
    assert not any("usage" in event for event in ask(server, "m", "hello", stream=True).events)
    events = ask(server, "m", "hello", stream=True, stream_options={"include_usage": True}).events
    assert [event["usage"] for event in events[:-1]] == [None] * (len(events) - 1)
    assert events[-1]["choices"] == []
    assert events[-1]["usage"] == ask(server, "m", "hello").body["usage"]


def test_logprobs_stream_along(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Each token comes with its own log-probability."""
    events = ask(server, "m", "hello", stream=True, logprobs=True).events
    probed = [event["choices"][0]["logprobs"]["content"] for event in events if event["choices"][0]["logprobs"]]
    assert "".join(token["token"] for [token] in probed) == ANSWER.text


def test_choices_stream_one_after_the_other(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Every choice opens, is complete, and closes."""
    texts, closed = {0: "", 1: ""}, []
    for event in ask(server, "m", "hello", stream=True, n=2).events:
        [choice] = event["choices"]
        texts[choice["index"]] += choice["delta"].get("content") or ""
        closed += [choice["index"]] if choice["finish_reason"] else []
    assert texts == {0: ANSWER.text, 1: ANSWER.text}
    assert closed == [0, 1]


def test_empty_answer_streams_its_frame(ask: Callable[..., Any]) -> None:
    """An answer without text still opens, closes and is counted."""
    with ReplayServer({("m", "q"): Recorded(text="")}) as server:
        events = ask(server, "m", "q", stream=True, stream_options={"include_usage": True}).events
    assert [event["choices"][0]["finish_reason"] for event in events[:-1]] == [None, "stop"]
    assert events[-1]["usage"]["completion_tokens"] == 1


def test_latency_is_spread_over_the_tokens() -> None:
    """The first token comes well before the last."""
    openai = pytest.importorskip("openai")
    slow = {("m", "q"): Recorded(text="x" * 40, latency_s=0.4)}
    with ReplayServer(slow) as server, openai.OpenAI(base_url=server.url, api_key="none") as client:
        begun = time.monotonic()
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "q"}], stream=True)
        times = [time.monotonic() - begun for event in stream if event.choices[0].delta.content]
    assert len(times) == 10
    assert times[0] < 0.25
    assert times[-1] >= 0.4


def test_openai_client_reads_streams(server: ReplayServer) -> None:
    """The real client joins the same text, sees the usage, and leaves a completed entry behind."""
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        stream = client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        events = list(stream)
    assert "".join(event.choices[0].delta.content or "" for event in events if event.choices) == ANSWER.text
    assert events[-1].usage.total_tokens == 14


async def test_openai_async_client_reads_streams(server: ReplayServer) -> None:
    """The asynchronous client does as well."""
    openai = pytest.importorskip("openai")
    async with openai.AsyncOpenAI(base_url=server.url, api_key="none") as client:
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        texts = [event.choices[0].delta.content or "" async for event in stream]
    assert "".join(texts) == ANSWER.text
