"""Tool calls and structured output: when they come, and that they are valid."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from pointsman.testing.replay_server import Recorded, ReplayServer

QUESTION = "What is the weather in 'San Francisco' for 3 days?"
RECORDED = Recorded(text="Sunny", input_tokens=20, output_tokens=5)


def tool(name: str, **properties: Any) -> dict[str, Any]:
    """Return a tool whose parameters are all required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}


WEATHER = tool("get_weather", city={"type": "string"}, days={"type": "integer"})
MAIL = tool("send_mail", to={"type": "string"})


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """Serve three questions, and one that was answered in JSON."""
    recorded = {("m", text): RECORDED for text in (QUESTION, "Say hello", "Send mail about the weather")}
    recorded["m", "as JSON"] = Recorded(text='{"city": "Rome", "days": 2}', output_tokens=77)
    with ReplayServer(recorded) as running:
        yield running


def called(reply: Any) -> str | None:
    """Return the name of the called tool, None for an answer."""
    choice = reply.body["choices"][0]
    calls = choice["message"].get("tool_calls")
    assert (choice["finish_reason"] == "tool_calls") == (calls is not None)
    return calls[0]["function"]["name"] if calls else None


def test_call_borrows_arguments_from_the_prompt(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Quoted strings and numbers become arguments; the usage is that of the call, not of the recorded text."""
    reply = ask(server, "m", QUESTION, tools=[MAIL, WEATHER])
    message = reply.body["choices"][0]["message"]
    assert message["content"] is None
    [call] = message["tool_calls"]
    assert call["type"] == "function"
    assert json.loads(call["function"]["arguments"]) == {"city": "San Francisco", "days": 3}
    assert reply.body["usage"]["prompt_tokens"] == 20
    assert reply.body["usage"]["completion_tokens"] == -(-len(call["function"]["arguments"]) // 4)


@pytest.mark.parametrize(
    ("text", "choice", "expected"),
    [
        (QUESTION, None, "get_weather"),
        (QUESTION, "auto", "get_weather"),
        (QUESTION, "none", None),
        ("Say hello", "auto", None),
        ("Say hello", "required", "get_weather"),
        ("Send mail about the weather", "required", "send_mail"),
        ("Say hello", {"type": "function", "function": {"name": "send_mail"}}, "send_mail"),
    ],
)
def test_tool_choice_is_honoured(
    server: ReplayServer, ask: Callable[..., Any], text: str, choice: Any, expected: str | None
) -> None:
    """None answers in text, auto calls what is mentioned, required calls something, a name calls that."""
    fields = {} if choice is None else {"tool_choice": choice}
    assert called(ask(server, "m", text, tools=[WEATHER, MAIL], **fields)) == expected


def test_tool_result_ends_the_loop(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """After a tool's message the answer is text even if tools are offered, or required."""
    messages = [{"role": "user", "content": QUESTION}, {"role": "tool", "tool_call_id": "1", "content": "18 °C"}]
    for choice in ("auto", "required"):
        reply = ask(server, "m", None, messages=messages, tools=[WEATHER], tool_choice=choice)
        assert called(reply) is None
        assert "18 °C" in reply.body["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"tools": [WEATHER], "tool_choice": {"function": {"name": "fly"}}}, "tool_choice", "'fly'.*get_weather"),
        ({"tools": [WEATHER], "tool_choice": "maybe"}, "tool_choice", "none, auto, required"),
        ({"tools": [{"type": "function"}]}, "tools", "have a name"),
        ({"tools": WEATHER}, "tools", "wrong type"),
        ({"tools": [tool("get_weather", city=False)]}, "tools", "false admits nothing"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": False}}},
            "response_format",
            "must be an object",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"enum": []}}}},
            "response_format",
            "enum",
        ),
    ],
)
def test_what_cannot_be_done_is_a_bad_request(
    server: ReplayServer, ask: Callable[..., Any], fields: dict[str, Any], param: str | None, words: str
) -> None:
    """The error says which part of the request is wrong, and what would be right."""
    reply = ask(server, "m", QUESTION, **fields)
    assert (reply.status, reply.body["error"]["param"]) == (400, param)
    assert re.search(words, reply.body["error"]["message"])


def test_streamed_call_joins_to_the_same_arguments(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """Name and id come first, the arguments in pieces."""
    events = ask(server, "m", QUESTION, tools=[WEATHER], stream=True).events
    deltas = [delta for event in events for delta in event["choices"][0]["delta"].get("tool_calls", ())]
    assert deltas[0]["function"]["name"] == "get_weather"
    assert deltas[0]["id"]
    assert json.loads("".join(delta["function"]["arguments"] for delta in deltas))["days"] == 3
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_schema_output_is_valid_and_extracted(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """A JSON schema gets an object of its shape, made of the prompt."""
    schema = WEATHER["function"]["parameters"]
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema}}
    reply = ask(server, "m", QUESTION, response_format=wanted)
    assert json.loads(reply.body["choices"][0]["message"]["content"]) == {"city": "San Francisco", "days": 3}


def test_recorded_object_that_fits_is_sent_as_it_is(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """It keeps its recorded tokens; one that lacks a required name does not fit."""
    for required, tokens in ((["city"], 77), (["country"], None)):
        schema = {"type": "object", "required": required}
        wanted = {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema}}
        body = ask(server, "m", "as JSON", response_format=wanted).body
        sent = json.loads(body["choices"][0]["message"]["content"])
        assert (sent == {"city": "Rome", "days": 2}) == (tokens == 77)
        assert required[0] in sent
        assert (body["usage"]["completion_tokens"] == 77) == (tokens == 77)


def test_json_mode_makes_an_object_of_the_names_the_prompt_quotes(ask: Callable[..., Any]) -> None:
    """A name `answer` gets the recorded answer; without any name that is the whole object."""
    with ReplayServer({}, default=lambda *_: Recorded(text="42")) as server:
        wanted = {"response_format": {"type": "json_object"}}
        named = ask(server, "m", "Reply in JSON with 'reasoning' and `answer` keys.", **wanted)
        plain = ask(server, "m", "Reply in JSON.", **wanted)
    texts = [json.loads(reply.body["choices"][0]["message"]["content"]) for reply in (named, plain)]
    assert texts[0].keys() == {"reasoning", "answer"}
    assert texts[0]["answer"] == "42"
    assert texts[1] == {"answer": "42"}


def test_openai_client_parses_into_pydantic(server: ReplayServer) -> None:
    """The client's own strict schemas, nested and with references, come back as objects."""
    openai = pytest.importorskip("openai")

    class Day(BaseModel):
        degrees: float
        note: str | None

    class Forecast(BaseModel):
        city: str
        days: list[Day]

    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        reply = client.chat.completions.parse(
            model="m", messages=[{"role": "user", "content": QUESTION}], response_format=Forecast
        )
    forecast = reply.choices[0].message.parsed
    assert forecast.city == "San Francisco"
    assert forecast.days[0].degrees == 3
