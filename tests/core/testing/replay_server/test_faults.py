"""Failures on demand, as plain HTTP and the real client meet them."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pointsman.testing.replay_server import Fault, Recorded, ReplayServer

ANSWERS = {(model, "q"): Recorded(text="0123" * 10, input_tokens=7) for model in ("small", "large")}
QUESTION = [{"role": "user", "content": "q"}]


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """Serve two models that are in good health."""
    with ReplayServer(ANSWERS, prices={"small": (1, 1)}) as running:
        yield running


@pytest.fixture
def client(server: ReplayServer) -> Iterator[Any]:
    """Ask by the real client, which does not retry."""
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0, timeout=10) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, "authentication_error", "invalid_api_key"),
        (418, "invalid_request_error", None),
        (429, "rate_limit_error", "rate_limit_exceeded"),
        (500, "server_error", None),
        (503, "server_error", "overloaded"),
    ],
)
def test_status_is_sent_with_an_error(
    server: ReplayServer, ask: Callable[..., Any], status: int, kind: str, code: str | None
) -> None:
    """The reply has the provider's shape, the entry the status; nothing is charged."""
    server.fail(Fault(status=status))
    reply = ask(server, "small", "q")
    assert reply.status == status
    assert (reply.body["error"]["type"], reply.body["error"]["code"]) == (kind, code)
    assert "retry-after" not in reply.headers
    [entry] = server.ledger
    assert (entry.status, entry.input_tokens, entry.output_tokens, entry.cost_usd) == (status, 0, 0, 0.0)
    assert entry.completed


def test_retry_after_is_obeyed_by_the_real_client(server: ReplayServer) -> None:
    """The client waits as told and then succeeds; both attempts are in the books."""
    openai = pytest.importorskip("openai")
    server.fail(Fault(status=429, retry_after=0.3))
    begun = time.monotonic()
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=1) as client:
        client.chat.completions.create(model="small", messages=QUESTION)
    assert 0.3 <= time.monotonic() - begun < 3
    assert [entry.status for entry in server.ledger] == [429, 200]
    assert server.ledger[1].started_at - server.ledger[0].started_at >= 0.3


def test_faults_strike_in_order_and_as_often_as_told(ask: Callable[..., Any]) -> None:
    """Each request meets the first fault still waiting, then all is well."""
    faults = [Fault(status=500, count=2), Fault(status=503)]
    with ReplayServer(ANSWERS, faults=faults) as server:
        assert [ask(server, "small", "q").status for _ in range(5)] == [500, 500, 503, 200, 200]


def test_faults_of_one_model_leave_the_others_alone(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """A fault waits for its model, and those behind it do not wait for it."""
    server.fail(Fault(model="large", status=500), Fault(status=429))
    assert [ask(server, model, "q").status for model in ("small", "large", "large", "small")] == [429, 500, 200, 200]


def test_fault_without_count_lasts(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """What is broken for good stays broken."""
    server.fail(Fault(status=503, count=None))
    assert {ask(server, "small", "q").status for _ in range(4)} == {503}


def test_faults_are_counted_exactly_between_threads(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Among 40 concurrent requests exactly the 15 foreseen fail."""
    server.fail(Fault(status=500, count=15))
    threads = [threading.Thread(target=ask, args=(server, "small", "q")) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.status for entry in server.ledger) == [200] * 25 + [500] * 15


def test_delay_makes_the_answer_late(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """It comes in the end."""
    server.fail(Fault(delay_s=0.2))
    begun = time.monotonic()
    assert ask(server, "small", "q").status == 200
    assert 0.2 <= time.monotonic() - begun < 2


@pytest.mark.parametrize("fault", [Fault(delay_s=30), Fault(hang=True)])
def test_silence_times_the_client_out(
    server: ReplayServer, client: Any, eventually: Callable[..., bool], fault: Fault
) -> None:
    """The client gives up; the server notices without waiting on, and books an unanswered request."""
    openai = pytest.importorskip("openai")
    server.fail(fault)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.1).chat.completions.create(model="small", messages=QUESTION)
    [entry] = server.ledger
    assert (entry.status, entry.completed, entry.cost_usd) == (None, False, 0.0)
    idle = [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]
    assert eventually(lambda: not any(thread.is_alive() for thread in idle))
    assert server.ledger == (entry,)


@pytest.mark.parametrize("fault", [Fault(drop=True), Fault(after_tokens=3)])
def test_dropped_connection_gets_no_reply(
    server: ReplayServer, ask: Callable[..., Any], client: Any, fault: Fault
) -> None:
    """Neither status nor body; a break of the stream drops a request that is not streamed."""
    openai = pytest.importorskip("openai")
    server.fail(fault, fault)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(server, "small", "q")
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="small", messages=QUESTION)
    assert [(entry.status, entry.completed) for entry in server.ledger] == [(None, False)] * 2


@pytest.mark.parametrize(("after", "shown"), [(0, 0), (4, 4), (99, 10)])
def test_stream_breaks_after_so_many_tokens(server: ReplayServer, client: Any, after: int, shown: int) -> None:
    """Those tokens arrive, then the connection breaks; they are booked, and not in the total."""
    openai = pytest.importorskip("openai")
    server.fail(Fault(after_tokens=after))
    stream = client.chat.completions.create(model="small", messages=QUESTION, stream=True)
    texts = []
    with pytest.raises(openai.APIConnectionError):
        texts.extend(event.choices[0].delta.content or "" for event in stream)
    assert "".join(texts) == "0123" * shown
    [entry] = server.ledger
    assert (entry.status, entry.completed) == (200, False)
    assert (entry.input_tokens, entry.output_tokens) == (7, shown)
    assert entry.cost_usd == pytest.approx((7 + shown) / 1e6)
    assert server.cost_usd() == 0.0


def test_malformed_json_arrives_as_such(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """The status says 200, the body breaks off, the answer counts as used but not as received."""
    server.fail(Fault(malformed=True))
    reply = ask(server, "small", "q")
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        _ = reply.body
    [entry] = server.ledger
    assert (entry.output_tokens, entry.completed) == (10, False)


def test_malformed_stream_breaks_the_client_not_the_server(
    server: ReplayServer, client: Any, ask: Callable[..., Any]
) -> None:
    """Its events are no JSON; the next request is served as ever."""
    server.fail(Fault(malformed=True))
    stream = client.chat.completions.create(model="small", messages=QUESTION, stream=True)
    with pytest.raises(json.JSONDecodeError):
        list(stream)
    assert ask(server, "small", "q").status == 200
    assert not server.ledger[0].completed


def test_embeddings_fail_like_chats(server: ReplayServer, send: Callable[..., Any]) -> None:
    """Faults strike every endpoint that names a model."""
    server.fail(Fault(status=429, model="embedder"))
    bodies = [{"model": "embedder", "input": "q"}] * 2
    assert [send(server, "POST", "/v1/embeddings", body).status for body in bodies] == [429, 200]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "needs delay_s or one of status"),
        ({"status": 500, "hang": True}, "status and hang"),
        ({"drop": True, "malformed": True}, "drop and malformed"),
        ({"status": 200}, "from 400 to 599, got 200"),
        ({"drop": True, "retry_after": 1}, "goes with a status"),
        ({"status": 429, "retry_after": -1}, "0 or more"),
        ({"status": 500, "count": 0}, "count must be 1 or more"),
        ({"delay_s": -1}, "0 or more"),
        ({"after_tokens": -1}, "0 or more"),
    ],
)
def test_faults_that_make_no_sense_are_refused(fields: dict[str, Any], words: str) -> None:
    """The error names the field, the value and what would do."""
    with pytest.raises(ValueError, match=words):
        Fault(**fields)
