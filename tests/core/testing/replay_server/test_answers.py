"""Which answer a question gets, and how a plain chat completion reports it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pointsman.testing.replay_server import Recorded, ReplayServer

PARIS = Recorded(
    text="Paris, of course", input_tokens=12, output_tokens=30, cached_tokens=8, reasoning_tokens=20, logprob=-0.25
)
ANSWERS = {
    ("small", "capital of France?"): PARIS,
    ("small", "France?"): Recorded(text="a country"),
    ("large", "capital of France?"): Recorded(text="It is Paris."),
    ("large", "What is the capital of France?"): Recorded(text="Paris."),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """Serve the answers above."""
    with ReplayServer(ANSWERS) as running:
        yield running


def said(reply: Any) -> str:
    """Return the text of the first choice."""
    return reply.body["choices"][0]["message"]["content"]


def test_exact_text_is_answered_as_recorded(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Text, usage with its details, ids and the request id are all there."""
    reply = ask(server, "small", "capital of France?")
    assert (reply.status, said(reply)) == (200, "Paris, of course")
    assert reply.body["usage"] == {
        "prompt_tokens": 12,
        "completion_tokens": 30,
        "total_tokens": 42,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    assert reply.body["object"] == "chat.completion"
    assert reply.body["model"] == "small"
    assert reply.headers["x-request-id"] in reply.body["id"]


def test_each_model_has_its_own_answers(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """The same text is answered differently by another model."""
    assert said(ask(server, "large", "capital of France?")) == "It is Paris."


def test_wrapped_question_finds_longest_recorded_text_of_its_model(
    server: ReplayServer, ask: Callable[..., Any]
) -> None:
    """Of the recorded texts a prompt contains, the longest that this model answered counts."""
    prompt = "Use the context.\n---\nQuestion: What is the capital of France? Answer:"
    assert said(ask(server, "small", prompt)) == "Paris, of course"
    assert said(ask(server, "large", prompt)) == "Paris."


def test_only_the_last_user_message_is_looked_up(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Earlier turns, system prompts and the assistant's words do not decide which answer is given."""
    messages = [
        {"role": "system", "content": "capital of France?"},
        {"role": "user", "content": "capital of France?"},
        {"role": "assistant", "content": "capital of France?"},
        {"role": "user", "content": "and just France?"},
    ]
    assert said(ask(server, "small", None, messages=messages)) == "a country"


def test_content_parts_are_read_for_their_text(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Images and files travel along; the text parts make the question."""
    parts = [
        {"type": "text", "text": "Here is a map."},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
        {"type": "text", "text": "capital of France?"},
    ]
    assert said(ask(server, "small", parts)) == "Paris, of course"


def test_unrecorded_question_is_not_found(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """The error names model and text, in OpenAI's shape."""
    reply = ask(server, "small", "capital of Spain?")
    assert reply.status == 404
    error = reply.body["error"]
    assert "'small'" in error["message"]
    assert "'capital of Spain?'" in error["message"]
    assert {name: error[name] for name in ("type", "param", "code")} == {
        "type": "invalid_request_error",
        "param": "messages",
        "code": "not_recorded",
    }


def test_default_answers_what_is_not_recorded(ask: Callable[..., Any]) -> None:
    """It sees the model and the whole request; recorded answers go before it."""

    def default(model: str, request: dict[str, Any]) -> Recorded:
        return Recorded(text=f"{model} at {request['temperature']}")

    with ReplayServer(ANSWERS, default=default) as server:
        assert said(ask(server, "other", "anything", temperature=0.5)) == "other at 0.5"
        assert said(ask(server, "small", "capital of France?", temperature=0.5)) == "Paris, of course"


def test_failing_default_is_a_server_error_that_says_why(ask: Callable[..., Any]) -> None:
    """A bug in the caller's own function reaches the test as an error reply."""
    with ReplayServer({}, default=lambda _, request: Recorded(text=request["nonsense"])) as server:
        reply = ask(server, "m", "q")
    assert (reply.status, reply.body["error"]["type"]) == (500, "server_error")
    assert "KeyError('nonsense')" in reply.body["error"]["message"]


def test_unknown_tokens_are_estimated_at_four_characters(ask: Callable[..., Any]) -> None:
    """Counts are rounded up and never less than one, and parts never exceed their whole."""
    known = {
        ("m", "12345"): Recorded(text="123456789"),
        ("m", ""): Recorded(text=""),
        ("m", "abc"): Recorded(text="abcd", cached_tokens=50, reasoning_tokens=7),
    }
    with ReplayServer(known) as server:
        usages = [ask(server, "m", text).body["usage"] for _, text in known]
    assert [(usage["prompt_tokens"], usage["completion_tokens"]) for usage in usages] == [(2, 3), (1, 1), (50, 8)]


def test_n_choices_are_all_sent_and_paid(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """The answer comes n times, the output counts n times, the prompt once."""
    body = ask(server, "small", "capital of France?", n=3).body
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert {choice["message"]["content"] for choice in body["choices"]} == {"Paris, of course"}
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (12, 90)
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 60


@pytest.mark.parametrize(("stop", "text"), [(",", "Paris"), (["course", "is"], "Par"), (["never"], "Paris, of course")])
def test_stop_cuts_before_its_first_occurrence(
    server: ReplayServer, ask: Callable[..., Any], stop: Any, text: str
) -> None:
    """A cut answer ends before the earliest stop text and is counted by what was sent."""
    body = ask(server, "small", "capital of France?", stop=stop).body
    assert body["choices"][0]["message"]["content"] == text
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (body["usage"]["completion_tokens"] == 30) == (text == PARIS.text)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_longest_answer_allowed_cuts_text_in_proportion(
    server: ReplayServer, ask: Callable[..., Any], field: str
) -> None:
    """Half the tokens show half the text, finish for length, and cost half."""
    body = ask(server, "small", "capital of France?", **{field: 15}).body
    assert body["choices"][0]["message"]["content"] == PARIS.text[:8]
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 15
    assert ask(server, "small", "capital of France?", **{field: 30}).body["choices"][0]["finish_reason"] == "stop"


def test_logprobs_are_given_when_asked_for_and_known(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Every token carries the recorded mean; where nothing was recorded the field is null, not made up."""
    choice = ask(server, "small", "capital of France?", logprobs=True, top_logprobs=1).body["choices"][0]
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == PARIS.text
    assert {token["logprob"] for token in tokens} == {-0.25}
    assert bytes(tokens[0]["bytes"]) == b"Pari"
    assert [other["token"] for other in tokens[0]["top_logprobs"]] == ["Pari"]
    assert ask(server, "small", "capital of France?").body["choices"][0]["logprobs"] is None
    assert ask(server, "large", "capital of France?", logprobs=True).body["choices"][0]["logprobs"] is None


def test_tool_message_is_answered_in_text_that_mentions_it(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """The recorded answer and the tool's words both show."""
    messages = [
        {"role": "user", "content": "capital of France?"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "The atlas says Paris"}]},
    ]
    text = said(ask(server, "small", None, messages=messages))
    assert text == "Paris, of course (The tool returned: The atlas says Paris)"


def test_latency_is_what_was_recorded(ask: Callable[..., Any]) -> None:
    """An answer recorded as slow comes no sooner, and not much later."""
    with ReplayServer({("m", "q"): Recorded(text="a", latency_s=0.2)}) as server:
        begun = time.monotonic()
        ask(server, "m", "q")
        assert 0.2 <= time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"input_tokens": -1}, "input_tokens must be 0 or more, got -1"),
        ({"latency_s": float("nan")}, "latency_s must be 0 or more, got nan"),
        ({"logprob": 0.1}, "logprob must be 0 or less, got 0.1"),
        ({"input_tokens": 3, "cached_tokens": 4}, "cached_tokens are part of input_tokens: 4 exceeds 3"),
        ({"output_tokens": 3, "reasoning_tokens": 4}, "reasoning_tokens are part of output_tokens: 4 exceeds 3"),
    ],
)
def test_impossible_records_are_refused(fields: dict[str, Any], message: str) -> None:
    """The error names the field and its value."""
    with pytest.raises(ValueError, match=message):
        Recorded(text="a", **fields)
