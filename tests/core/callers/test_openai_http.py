"""The OpenAI-compatible caller over real HTTP, against a server that answers from recordings."""

from __future__ import annotations

import json
import re
import sys
import time
from email.utils import formatdate

import pytest

from pointsman.callers import OpenAICaller
from pointsman.callers.http_failures import status_failure
from pointsman.callers.openai_wire import response_of
from pointsman.errors import ConfigError, MissingExtraError
from pointsman.failures import retry_after_s
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer
from pointsman.types import Call, CallError, Message, Query, Usage

pytest.importorskip("httpx", reason="calling over HTTP needs the extra 'http'")

QUERY = Query(text="2+2?", id="q")
FOUR = Recorded(text="4", input_tokens=9, output_tokens=5, cached_tokens=3, reasoning_tokens=4, logprob=-0.5)


def serving(*faults: Fault) -> ReplayServer:
    """Return a server that knows one answer of two models."""
    return ReplayServer({("small", "2+2?"): FOUR, ("large-v2", "2+2?"): FOUR}, faults=faults)


async def failure(server: ReplayServer, timeout_s: float = 5.0) -> CallError:
    """Make one call that must fail, and return its error."""
    with pytest.raises(CallError) as caught:
        await OpenAICaller(server.url, timeout_s=timeout_s)(Call(model="small"), QUERY)
    return caught.value


async def test_an_answer_comes_with_every_count_the_endpoint_reports() -> None:
    """Text, tokens with their cached and reasoning parts, the served name, and the reply itself."""
    with serving() as server:
        response = await OpenAICaller(server.url)(Call(model="small", params={"logprobs": True}), QUERY)
    assert (response.model, response.text, response.served_model) == ("small", "4", "small")
    assert response.usage == Usage(input_tokens=9, output_tokens=5, cached_input_tokens=3, reasoning_tokens=4)
    assert response.logprobs == (-0.5,)
    assert response.raw["choices"][0]["message"]["content"] == "4"
    assert response.cost_usd is None


async def test_the_request_says_what_the_call_says() -> None:
    """The endpoint's own model name, the call's messages and parameters before the defaults, the key as a bearer token."""
    call = Call(
        model="large",
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content=({"type": "text", "text": "2+2?"},)),
        ),
        params={"max_tokens": 7},
    )
    with serving() as server:
        caller = OpenAICaller(server.url + "/", model="large-v2", params={"max_tokens": 99, "temperature": 0})
        response = await caller(call, QUERY)
        sent = server.ledger[0].request
    assert response.model == "large"
    assert sent == {
        "model": "large-v2",
        "max_tokens": 7,
        "temperature": 0,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "2+2?"}]},
        ],
    }


async def test_a_conversation_is_sent_where_the_query_has_one() -> None:
    """A call without messages of its own sends the query's."""
    turns = (Message(role="assistant", content="Ask me."), Message(role="user", content="2+2?"))
    with serving() as server:
        await OpenAICaller(server.url)(Call(model="small"), Query(text="2+2?", messages=turns))
        assert [message["role"] for message in server.ledger[0].request["messages"]] == ["assistant", "user"]


async def test_connections_are_kept_inside_the_context_and_only_there() -> None:
    """Entering twice shares them; after the last exit the caller still works."""
    with serving() as server:
        caller = OpenAICaller(server.url)
        async with caller:
            kept = caller._kept
            async with caller:
                assert caller._kept is kept
                await caller(Call(model="small"), QUERY)
            assert kept is not None
            assert not kept.is_closed
        assert kept.is_closed
        assert caller._kept is None
        assert (await caller(Call(model="small"), QUERY)).text == "4"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
async def test_failures_that_may_pass_are_retryable(status: int) -> None:
    """The status and the pause that the server asks for are handed on; nothing was billed."""
    with serving(Fault(status=status, retry_after=1.5)) as server:
        error = await failure(server)
    assert (error.retryable, error.status, error.retry_after, error.interrupted) == (True, status, 1.5, False)
    assert str(status) in error.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_failures_that_stay_are_not(status: int) -> None:
    """The request or the key is wrong; asking again changes nothing."""
    with serving(Fault(status=status)) as server:
        error = await failure(server)
    assert (error.retryable, error.status, error.retry_after) == (False, status, None)


async def test_silence_ends_at_the_time_out_and_may_have_been_billed() -> None:
    """A read time-out is retryable, and its cost stays unknown."""
    with serving(Fault(hang=True)) as server:
        error = await failure(server, timeout_s=0.1)
    assert (error.retryable, error.interrupted, error.status) == (True, True, None)
    assert "ReadTimeout" in error.message


async def test_a_dropped_connection_may_have_been_billed() -> None:
    """The request was on its way when the line went dead."""
    with serving(Fault(drop=True)) as server:
        error = await failure(server)
    assert (error.retryable, error.interrupted) == (True, True)


async def test_a_server_that_is_not_there_billed_nothing() -> None:
    """A refused connection is retryable; the request never left."""
    with serving() as server:
        gone = server.url
    with pytest.raises(CallError, match="ConnectError") as caught:
        await OpenAICaller(gone)(Call(model="small"), QUERY)
    assert (caught.value.retryable, caught.value.interrupted) == (True, False)


async def test_a_broken_reply_is_not_asked_for_again() -> None:
    """Half a JSON text was billed, and says nothing about why."""
    with serving(Fault(malformed=True)) as server:
        error = await failure(server)
    assert (error.retryable, error.interrupted) == (False, True)
    assert "not JSON" in error.message


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": [1]}}]},
    ],
)
def test_a_reply_without_a_message_is_a_failed_call(body: object) -> None:
    """Whatever an endpoint makes of the format, the outcome is a CallError that names the model."""
    with pytest.raises(CallError, match=r"small: the (reply|message) holds no"):
        response_of("small", body)


def test_what_an_endpoint_leaves_out_is_unknown() -> None:
    """No usage is no usage, not zero tokens; a refusal is the text; tool calls are the content."""
    message = {"content": None, "refusal": "No.", "tool_calls": [{"id": "1"}]}
    response = response_of("small", {"choices": [{"message": message, "logprobs": {"content": [{}]}}], "model": 3})
    assert (response.usage, response.logprobs, response.served_model) == (None, None, None)
    assert (response.text, response.content) == ("No.", message)
    partial = response_of("small", {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "9"}})
    assert partial.usage == Usage()


def test_retry_after_may_be_a_date() -> None:
    """Seconds, milliseconds or a date; a date in the past asks for no pause."""
    in_a_minute = retry_after_s({"retry-after": formatdate(time.time() + 60, usegmt=True)})
    assert in_a_minute is not None
    assert 55 < in_a_minute <= 60
    assert retry_after_s({"retry-after": formatdate(0, usegmt=True)}) == 0
    assert retry_after_s({"retry-after": "soon"}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>Bad gateway</html>", "HTTP 502: <html>Bad gateway</html>"),
        ("", "HTTP 502: Bad Gateway"),
        ('{"error": "overloaded"}', "HTTP 502: overloaded"),
        ("[]", r"HTTP 502: \[\]"),
    ],
)
def test_an_error_of_any_form_is_told_in_its_own_words(text: str, message: str) -> None:
    """Proxies answer in HTML, some servers in nothing or in their own JSON."""
    import httpx

    error = status_failure("small", httpx.Response(502, text=text))
    assert re.fullmatch(message, error.message)
    assert error.retryable


async def test_a_used_up_quota_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes as a 429, but no pause refills an account."""
    import httpx

    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json=body, request=request)

    caller = OpenAICaller("http://127.0.0.1:1/v1")
    monkeypatch.setattr(caller, "_client", lambda: httpx.AsyncClient(transport=httpx.MockTransport(handle)))
    with pytest.raises(CallError, match="exceeded your current quota") as caught:
        await caller(Call(model="small"), QUERY)
    assert not caught.value.retryable


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8000", "ftp://host", "http://", "http://host:port"])
def test_an_endpoint_must_be_an_address(endpoint: str) -> None:
    """A slip in the configuration is found before any call."""
    with pytest.raises(ConfigError, match="must be an http:// or https:// URL, got"):
        OpenAICaller(endpoint)


def test_a_time_out_must_be_positive() -> None:
    """Zero seconds would fail every call."""
    with pytest.raises(ConfigError, match="timeout_s must be more than 0 seconds, got 0"):
        OpenAICaller("http://127.0.0.1/v1", timeout_s=0)


def test_the_key_shows_nowhere() -> None:
    """Neither repr nor public attributes give it away."""
    caller = OpenAICaller("http://127.0.0.1/v1", api_key="sk-secret")
    assert "sk-secret" not in repr(caller)
    assert "sk-secret" not in json.dumps({k: str(v) for k, v in vars(caller).items() if not k.startswith("_")})


def test_without_httpx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pointsman\[http\]"'):
        OpenAICaller("http://127.0.0.1/v1")


def test_alternatives_come_likeliest_first() -> None:
    """Log-probabilities of alternatives are sorted at each place; where a place has none, there are none at all."""
    first = {"logprob": -0.1, "top_logprobs": [{"logprob": -2.0}, {"logprob": -0.1}]}
    message = {"content": "4"}

    def alternatives(*tokens: object) -> object:
        body = {"choices": [{"message": message, "logprobs": {"content": list(tokens)}}]}
        return response_of("small", body).top_logprobs

    assert alternatives(first) == ((-0.1, -2.0),)
    assert alternatives(first, {"logprob": -0.3, "top_logprobs": []}) is None
    assert alternatives({"logprob": -0.3}) is None
