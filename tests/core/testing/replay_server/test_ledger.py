"""The server's books agree with what its clients saw."""

import http.client
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from pointsman.testing.replay_server import Recorded, ReplayServer

PRICES = {"small": (0.5, 1.5), "large": (10, 30)}
ANSWERS = {
    ("small", "q"): Recorded(text="ok", input_tokens=1000, output_tokens=200, cached_tokens=600, reasoning_tokens=50),
    ("large", "q"): Recorded(text="fine", input_tokens=1000, output_tokens=100),
    ("free", "q"): Recorded(text="who knows", input_tokens=1, output_tokens=1),
}

STREAM = {"model": "m", "messages": [{"role": "user", "content": "q"}], "stream": True}
either_way = pytest.mark.parametrize("body", [STREAM, {**STREAM, "stream": False}], ids=["streamed", "whole"])


def test_entry_tells_everything_about_a_request(ask: Callable[..., Any]) -> None:
    """Model, tokens, cost, the request itself, the reply's id, and when."""
    with ReplayServer(ANSWERS, prices=PRICES) as server:
        reply = ask(server, "small", "q", temperature=0)
        ask(server, "large", "q", stream=True)
    first, second = server.ledger
    assert first.request_id == reply.headers["x-request-id"]
    assert (first.model, first.path, first.status) == ("small", "/v1/chat/completions", 200)
    assert (first.input_tokens, first.output_tokens, first.cached_tokens, first.reasoning_tokens) == (
        1000,
        200,
        600,
        50,
    )
    assert first.cost_usd == pytest.approx((1000 * 0.5 + 200 * 1.5) / 1e6)
    assert first.request["temperature"] == 0
    assert first.request["messages"] == [{"role": "user", "content": "q"}]
    assert (first.streamed, second.streamed) == (False, True)
    assert first.completed
    assert second.completed
    assert first.started_at < second.started_at
    assert server.cost_usd() == pytest.approx(0.0008 + 0.013)


def test_unknown_price_makes_the_total_unknown(ask: Callable[..., Any]) -> None:
    """A model without a price costs None, never 0, and so does all of it."""
    with ReplayServer(ANSWERS, prices=PRICES) as server:
        assert server.cost_usd() == 0.0
        ask(server, "small", "q")
        assert server.cost_usd() == pytest.approx(0.0008)
        ask(server, "free", "q")
        assert server.ledger[-1].cost_usd is None
        assert server.cost_usd() is None


def test_refused_request_costs_nothing_even_without_a_price(ask: Callable[..., Any]) -> None:
    """An unrecorded question is booked as 404 with no tokens, at a known cost of zero."""
    with ReplayServer(ANSWERS) as server:
        ask(server, "free", "unheard of")
        [entry] = server.ledger
        assert (entry.status, entry.input_tokens, entry.cost_usd, entry.completed) == (404, 0, 0.0, True)
        assert server.cost_usd() == 0.0


def test_request_under_way_is_in_the_books(eventually: Callable[..., bool]) -> None:
    """An unfinished stream shows what it has sent so far, and is not completed."""
    slow = {("m", "q"): Recorded(text="x" * 400, input_tokens=3, latency_s=60)}
    with ReplayServer(slow, prices={"m": (1, 1)}) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("POST", "/v1/chat/completions", json.dumps(STREAM))
        assert eventually(lambda: len(server.ledger) == 1)
        [entry] = server.ledger
        connection.close()
    assert (entry.completed, entry.status, entry.output_tokens) == (False, None, 0)
    assert server.cost_usd() == 0.0


def test_early_close_of_a_slow_stream_is_not_completed(eventually: Callable[..., bool]) -> None:
    """The real client closes after two tokens; the server stops sending and says so."""
    openai = pytest.importorskip("openai")
    slow = {("m", "q"): Recorded(text="x" * 400, input_tokens=3, output_tokens=100, latency_s=5)}
    with ReplayServer(slow) as server, openai.OpenAI(base_url=server.url, api_key="none") as client:
        stream = client.chat.completions.create(**STREAM)
        seen = 0
        for event in stream:
            seen += bool(event.choices[0].delta.content)
            if seen == 2:
                break
        stream.close()
        assert not server.ledger[0].completed
        assert eventually(lambda: not any("process_request" in one.name for one in threading.enumerate()))
        [entry] = server.ledger
    assert (entry.status, entry.completed, entry.input_tokens) == (200, False, 3)
    assert 2 <= entry.output_tokens < 100


@either_way
def test_reply_left_unread_is_not_completed(eventually: Callable[..., bool], body: dict[str, Any]) -> None:
    """Even after the last byte was sent, a client that hangs up with bytes unread has not got all of it."""
    with ReplayServer({("m", "q"): Recorded(text="x" * 400, output_tokens=100)}) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        assert eventually(lambda: bool(server.ledger) and server.ledger[0].completed)
        connection.sock.close()
        assert eventually(lambda: not server.ledger[0].completed)
        assert server.ledger[0].output_tokens == 100


@either_way
def test_reply_read_to_its_end_stays_completed(eventually: Callable[..., bool], body: dict[str, Any]) -> None:
    """A client that has read everything may hang up, the next one too."""
    with ReplayServer({("m", "q"): Recorded(text="x" * 400)}) as server:
        for _ in range(20):
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
            connection.request("POST", "/v1/chat/completions", json.dumps(body))
            connection.getresponse().read()
            connection.close()
        assert eventually(lambda: not any("process_request" in one.name for one in threading.enumerate()))
        assert [entry.completed for entry in server.ledger] == [True] * 20


def test_openai_streams_read_to_their_end_stay_completed(eventually: Callable[..., bool]) -> None:
    """The real client hangs up right behind the last event, which counts as having got all of it."""
    openai = pytest.importorskip("openai")
    with ReplayServer({("m", "q"): Recorded(text="x" * 400)}) as server:
        with openai.OpenAI(base_url=server.url, api_key="none") as client:
            for _ in range(20):
                list(client.chat.completions.create(**STREAM))
        assert eventually(lambda: not any("process_request" in one.name for one in threading.enumerate()))
        assert [entry.completed for entry in server.ledger] == [True] * 20


def test_client_that_gave_up_during_the_latency_is_not_completed(eventually: Callable[..., bool]) -> None:
    """An answer that came too late went nowhere."""
    with ReplayServer({("m", "q"): Recorded(text="late", latency_s=20)}) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=0.1)
        connection.request("POST", "/v1/chat/completions", json.dumps({**STREAM, "stream": False}))
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()
        assert eventually(lambda: not any("process_request" in one.name for one in threading.enumerate()))
        [entry] = server.ledger
    assert (entry.status, entry.completed, entry.cost_usd) == (None, False, 0.0)


@either_way
def test_books_equal_the_clients_over_200_concurrent_requests(ask: Callable[..., Any], body: dict[str, Any]) -> None:
    """Every reply is booked once, under its id, with the tokens its client was told."""
    models = [f"m{number}" for number in range(7)]
    recorded = {
        (model, f"text {row}"): Recorded(text="y" * row, input_tokens=row + 1, output_tokens=2 * row + place)
        for place, model in enumerate(models)
        for row in range(200)
    }
    together = threading.Barrier(200)

    def one(row: int) -> tuple[str, tuple[int, int]]:
        together.wait()
        fields = {"stream": True, "stream_options": {"include_usage": True}} if body["stream"] else {}
        reply = ask(server, models[row % 7], f"text {row}", **fields)
        usage = reply.events[-1]["usage"] if body["stream"] else reply.body["usage"]
        return reply.headers["x-request-id"], (usage["prompt_tokens"], usage["completion_tokens"])

    with ReplayServer(recorded, prices=dict.fromkeys(models, (2, 3))) as server, ThreadPoolExecutor(200) as pool:
        seen = dict(pool.map(one, range(200)))
    booked = {entry.request_id: (entry.input_tokens, entry.output_tokens) for entry in server.ledger}
    assert len(booked) == len(server.ledger) == 200
    assert booked == seen
    assert all(entry.completed for entry in server.ledger)
    assert server.cost_usd() == pytest.approx(sum(2 * used + 3 * made for used, made in seen.values()) / 1e6)
