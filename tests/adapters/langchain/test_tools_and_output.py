"""Tools and structured output: route first, then let the chosen model do its own binding, formatting and parsing."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableBinding
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from langchain_router import RouterLLM
from pointsman.errors import NoEligibleModelError
from pointsman.models import ModelPool, ModelSpec
from pointsman.routers.rules import RulesRouter
from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import Trace

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")  # an older ChatOpenAI's

WAYS = ("invoke", "ainvoke", "stream", "astream")


@tool
def look_up(word: str) -> str:
    """Look a word up in the dictionary."""
    return f"{word}: a word"


class Joke(BaseModel):
    """A joke."""

    setup: str = Field(description="what comes first")
    punchline: str = Field(description="what comes last")


async def test_tools_are_bound_by_the_chosen_model(build: Any, ask: Any, server: ReplayServer) -> None:
    """Tools are bound raw, in a RunnableBinding; each call sends them in the answering provider's form."""
    bound = build().bind_tools([look_up], tool_choice="any")
    assert isinstance(bound, RunnableBinding)
    assert bound.kwargs["tools"] == [look_up]
    for way in WAYS:
        message = await ask(bound, way, "Look up 'hard'.")
        [call] = message.tool_calls
        assert (call["name"], call["args"]) == ("look_up", {"word": "hard"})
        assert message.response_metadata["router"]["model"] == "large"
        sent = server.ledger[-1].request
        assert sent["tools"][0]["function"]["name"] == "look_up"
        assert sent["tool_choice"] == "required"


def test_fallback_binds_tools_anew(build: Any, server: ReplayServer) -> None:
    """The model that steps in gets the tools too."""
    server.fail(Fault(model="small", status=429))
    message = build().bind_tools([look_up]).invoke("Look up 'cat'.")
    assert message.response_metadata["router"]["tried"] == ["small", "medium"]
    assert message.tool_calls
    assert all(entry.request["tools"] for entry in server.ledger)


def test_other_arguments_go_along(build: Any, server: ReplayServer) -> None:
    """What is bound or passed beside tools reaches the model."""
    build(temperature=0.5).bind_tools([look_up], parallel_tool_calls=False).invoke("Look up 'cat'.", stop=["END"])
    sent = server.ledger[0].request
    assert (sent["parallel_tool_calls"], sent["stop"], sent["temperature"]) == (False, ["END"], 0.5)


def conversation(model: str) -> list[Any]:
    """Return a conversation in which that model waits for the result of a tool."""
    call = {"name": "look_up", "args": {"word": "cat"}, "id": "call_1", "type": "tool_call"}
    asked = AIMessage("", tool_calls=[call], response_metadata={"router": {"model": model}})
    return [HumanMessage("Look up 'cat'."), asked, ToolMessage("cat: a word", tool_call_id="call_1")]


async def test_open_tool_call_stays_with_its_model(build: Any, ask: Any) -> None:
    """The result of a tool goes to the model that called it, whatever the router would choose by now."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    for way in WAYS:
        record = (await ask(llm, way, conversation("medium"))).response_metadata["router"]
        assert record["model"] == "medium"
        assert record["excluded"]["small"] == "a tool call of medium is open"
        assert traces[-1].context.session.open_tool_call


def test_tool_call_closes_when_someone_speaks(build: Any) -> None:
    """After the next human message, or an answer, the router is free again, and still knows who answered last."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    spoken = [*conversation("medium"), HumanMessage("easy")]
    answered = [*conversation("medium"), AIMessage("A word.", response_metadata={"router": {"model": "large"}})]
    for messages, last in ((spoken, "medium"), ([*answered, HumanMessage("easy")], "large")):
        assert llm.invoke(messages).response_metadata["router"]["model"] == "small"
        session = traces[-1].context.session
        assert (session.last_model, session.open_tool_call) == (last, False)


def test_stranger_leaves_no_session(build: Any) -> None:
    """A message of a model that is no candidate says nothing about the session."""
    record = build().invoke(conversation("someone else")).response_metadata["router"]
    assert record["model"] == "small"


def test_tool_loop_with_real_records(build: Any) -> None:
    """The record on a streamed tool call is enough to come back to its model."""
    bound = build().bind_tools([look_up])
    asked = None
    for chunk in bound.stream("This is hard: look up 'cat'."):
        asked = chunk if asked is None else asked + chunk
    assert asked is not None
    [call] = asked.tool_calls
    history = [HumanMessage("This is hard: look up 'cat'."), asked, look_up.invoke(call)]
    answer = bound.invoke(history, {"metadata": {"router_query": "easy by now"}})
    assert answer.response_metadata["router"]["model"] == "large"
    assert "The tool returned: cat: a word" in answer.text


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # ChatOpenAI's, about its own parsed field
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_structured_output(build: Any, ask: Any, server: ReplayServer, method: str) -> None:
    """Every method gives the parsed object, in every way of calling, with one call of the chosen model."""
    llm = build().with_structured_output(Joke, method=method)
    for way in ("invoke", "ainvoke"):
        answer = await ask(llm, way, "A hard joke with 'setup' and 'punchline' in JSON.")
        assert isinstance(answer, Joke)
    seen: list[Any] = list(llm.stream("A hard joke with 'setup' and 'punchline' in JSON."))
    assert isinstance(seen[-1], Joke)
    async for piece in llm.astream("A hard joke with 'setup' and 'punchline' in JSON."):
        assert isinstance(piece, Joke)
    assert [entry.model for entry in server.ledger] == ["large"] * 4


def test_structured_output_with_its_raw_message(build: Any) -> None:
    """With `include_raw` the message carries the record beside the parsed object."""
    for schema in (Joke, Joke.model_json_schema()):
        answer = build().with_structured_output(schema, include_raw=True, strict=True).invoke("A joke.")
        assert set(answer) == {"raw", "parsed", "parsing_error"}
        assert answer["parsing_error"] is None
        assert answer["raw"].response_metadata["router"]["model"] == "small"


def test_structured_output_is_traced_as_paid(build: Any, server: ReplayServer) -> None:
    """The trace has the usage and cost that the parsed object hides."""
    traces: list[Trace] = []
    build(observers=[traces.append]).with_structured_output(Joke).invoke("A joke.")
    [trace] = traces
    assert trace.cost_usd == pytest.approx(server.cost_usd())
    assert trace.query.required == {"structured_output"}
    assert trace.answer is not None
    assert set(trace.answer.content) == {"setup", "punchline"}


def test_structured_output_falls_back(build: Any, server: ReplayServer) -> None:
    """A provider's failure goes to the next model, which does its own formatting."""
    server.fail(Fault(model="small", status=503))
    assert isinstance(build().with_structured_output(Joke).invoke("A joke."), Joke)
    assert [entry.model for entry in server.ledger] == ["small", "medium"]


def able(**profile: bool) -> FakeListChatModel:
    """Return a candidate with a profile."""
    return FakeListChatModel(responses=["seen"], profile=profile)


IMAGE = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}


@pytest.mark.parametrize(
    ("part", "flag"),
    [
        (IMAGE, "image_inputs"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}, "image_inputs"),
        ({"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}, "audio_inputs"),
        ({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}, "audio_inputs"),
        ({"type": "file", "base64": "aGk=", "mime_type": "application/pdf"}, "pdf_inputs"),
        ({"type": "document", "source": {}}, "pdf_inputs"),
        ({"type": "media", "mime_type": "video/mp4", "data": "aGk="}, "video_inputs"),
        ({"type": "media", "mime_type": "application/pdf", "data": "aGk="}, "pdf_inputs"),
    ],
)
def test_media_go_to_models_that_take_them(part: dict[str, Any], flag: str) -> None:
    """A candidate whose profile rules a modality out gets no such request; the message is sent as it came."""
    models = {"blind": able(**{flag: False}), "seeing": able(**{flag: True})}
    llm = RouterLLM(models=models, router=RulesRouter(pool=ModelPool(models), default="blind"))
    given = [HumanMessage([{"type": "text", "text": "What is this?"}, part])]
    record = llm.invoke(given).response_metadata["router"]
    assert record["model"] == "seeing"
    assert record["excluded"]["blind"].startswith("unavailable: its profile rules out ")
    assert llm.invoke("What is this?").response_metadata["router"]["model"] == "blind"


def test_media_heed_the_pools_capabilities() -> None:
    """What the router's own pool declares counts as well; thoughts and tool calls in a message are no modality."""
    models = {"blind": FakeListChatModel(responses=["x"]), "seeing": FakeListChatModel(responses=["x"])}
    pool = ModelPool([ModelSpec(name="blind", capabilities=frozenset({"tools"})), ModelSpec(name="seeing")])
    llm = RouterLLM(models=models, router=RulesRouter(pool=pool, default="blind"))
    thought = AIMessage(
        [{"type": "thinking", "thinking": "hm"}, {"type": "tool_use", "id": "1", "name": "f", "input": {}}]
    )
    assert llm.invoke([HumanMessage("hi"), thought]).response_metadata["router"]["model"] == "blind"
    assert llm.invoke([HumanMessage([IMAGE])]).response_metadata["router"]["excluded"] == {"blind": "cannot do 'image'"}


class Binding(GenericFakeChatModel):
    """A candidate that takes tools, and says nothing about what it can do."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Take tools and forget them."""
        return self.bind(**kwargs)


def test_undeclared_abilities_are_trusted() -> None:
    """A candidate without a profile stays eligible for tools and for structured output."""
    models = {"plain": Binding(messages=iter([AIMessage("yes")]))}
    llm = RouterLLM(models=models, router=RulesRouter(pool=ModelPool(models), default="plain"))
    assert llm.bind_tools([look_up]).invoke("hi").text == "yes"


def test_structured_output_needs_one_of_two_abilities() -> None:
    """Structured output can be made by a schema or by a tool call; only who has neither is left out."""
    models = {"neither": able(structured_output=False, tool_calling=False)}
    llm = RouterLLM(models=models, router=RulesRouter(pool=ModelPool(models), default="neither"))
    with pytest.raises(NoEligibleModelError, match="structured_output"):
        llm.with_structured_output(Joke).invoke("A joke.")


def test_joint_profile() -> None:
    """LangChain is told the smallest of every limit and any ability, as requests only reach who has it."""
    models = {
        "a": FakeListChatModel(responses=[""], profile={"max_input_tokens": 8000, "image_inputs": False, "name": "A"}),
        "b": FakeListChatModel(responses=[""], profile={"max_input_tokens": 4000, "image_inputs": True}),
        "c": FakeListChatModel(responses=[""]),
    }
    router = RulesRouter(pool=ModelPool(models), default="a")
    assert RouterLLM(models=models, router=router).profile == {"image_inputs": True, "max_input_tokens": 4000}
    alone = {"c": models["c"]}
    assert RouterLLM(models=alone, router=RulesRouter(pool=ModelPool(alone), default="c")).profile is None
