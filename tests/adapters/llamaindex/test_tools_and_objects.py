"""Tools and objects: the candidate puts them into its own form, and what it makes of them is read by itself."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.core.llms.mock import MockLLM
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from llamaindex_router import RouterLLM, routing
from pointsman.errors import ConfigError, NoEligibleModelError
from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import Trace

WAYS = ("sync", "async", "stream", "astream")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Year(BaseModel):
    """A year."""

    year: int


TOOL = FunctionTool.from_defaults(add)
WHEN = PromptTemplate("Context: a hard text.\nWhen, as of {year_of}: {query_str}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("question", "model"), [("add 1 and 2", "small"), ("hard: add 1 and 2", "large")])
async def test_a_tool_is_called(
    build: Any, ask: Any, server: ReplayServer, way: str, question: str, model: str
) -> None:
    """The chosen model gets the tools, and its calls are read whichever way it was asked."""
    llm = build()
    history: list[ChatMessage] = [ChatMessage(role="system", content="Be exact.")]
    response = await ask(llm, way, ([TOOL],), endpoint="chat_with_tools", user_msg=question, chat_history=history)
    [call] = llm.get_tool_calls_from_response(response)
    assert (call.tool_name, call.tool_kwargs) == ("add", {"a": 1, "b": 2})
    assert response.additional_kwargs["router"]["model"] == model
    assert [entry.model for entry in server.ledger] == [model]
    assert server.ledger[0].request["tools"][0]["function"]["name"] == "add"
    assert len(history) == 1


def test_what_is_sent_is_what_a_direct_call_sends(build: Any, server: ReplayServer) -> None:
    """Requests with tools and for objects are those of the candidate on its own, word for word."""
    llm = build()
    for one in (llm, llm.models["small"]):
        one.chat_with_tools([TOOL], "add 1 and 2", tool_required=True, allow_parallel_tool_calls=True)
        one.structured_predict(Year, WHEN, llm_kwargs={"temperature": 0.3}, query_str="1837?", year_of="2000")
    routed, direct = ([entry.request for entry in server.ledger[i : i + 2]] for i in (0, 2))
    assert routed == direct


@pytest.mark.parametrize("way", WAYS)
async def test_a_later_candidate_gets_the_same_history(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """After a failure the next model is asked exactly what the first one was, though integrations add to the lists they get."""
    server.fail(Fault(model="small", status=500))
    history = [ChatMessage(content="hi"), ChatMessage(role="assistant", content="hello")]
    await ask(build(), way, ([TOOL],), endpoint="chat_with_tools", user_msg="add 1 and 2", chat_history=history)
    first, second = (entry.request["messages"] for entry in server.ledger)
    assert first == second
    assert len(history) == 2


def test_predict_and_call(build: Any) -> None:
    """`predict_and_call` ends with the tool's result."""
    assert build().predict_and_call([TOOL], user_msg="hard: add 20 and 22").response == "42"


async def test_apredict_and_call(build: Any) -> None:
    """`apredict_and_call` ends with the tool's result."""
    assert (await build().apredict_and_call([TOOL], user_msg="add 20 and 22")).response == "42"


def test_a_tools_result_goes_back_to_who_asked(build: Any, server: ReplayServer) -> None:
    """While a tool call is open the same model goes on, even where its question would now be another's; then it is over."""
    llm = build()
    messages = [ChatMessage(content="hard: add 1 and 2")]
    asked = llm.chat_with_tools([TOOL], chat_history=messages)
    [call] = llm.get_tool_calls_from_response(asked)
    result = ChatMessage(role=MessageRole.TOOL, content="3", additional_kwargs={"tool_call_id": call.tool_id})
    with routing(query="easy"):
        done = llm.chat_with_tools([TOOL], chat_history=[*messages, asked.message, result])
        after = llm.chat([*messages, asked.message, result, done.message, ChatMessage(content="thanks")])
    assert done.additional_kwargs["router"]["model"] == "large"
    assert done.additional_kwargs["router"]["excluded"]["small"] == "a tool call of large is open"
    assert after.additional_kwargs["router"]["model"] == "small"
    assert asked.message.additional_kwargs.keys() <= {"tool_calls"}
    assert "router" not in str(server.ledger[-1].request)


def test_who_cannot_call_tools_is_left_out(build: Any, client: Any) -> None:
    """A candidate whose metadata rule out tools is not asked with any; where none can, that is the router's error."""
    models = {
        "small": client("small", is_function_calling_model=False),
        "medium": MockLLM(),
        "large": client("large"),
    }
    llm = build(models)
    response = llm.chat_with_tools([TOOL], "add 1 and 2")
    assert response.additional_kwargs["router"]["model"] == "large"
    assert response.additional_kwargs["router"]["excluded"] == {
        "small": "unavailable: its metadata rule out tools",
        "medium": "unavailable: its metadata rule out tools",
    }
    assert llm.metadata.is_function_calling_model
    assert llm.chat([ChatMessage(content="hi")]).additional_kwargs["router"]["model"] == "small"
    none = build({name: MockLLM() for name in models})
    assert not none.metadata.is_function_calling_model
    with pytest.raises(NoEligibleModelError):
        none.chat_with_tools([TOOL], "add 1 and 2")
    with pytest.raises(ConfigError, match="None of the candidates 'large', 'medium', 'small' calls tools"):
        none._prepare_chat_with_tools([TOOL])


def test_prepared_arguments_are_a_candidates(build: Any) -> None:
    """Code that goes past the endpoints gets the arguments in the form of a candidate that calls tools."""
    llm = build()
    prepared = llm._prepare_chat_with_tools([TOOL], user_msg="add 1 and 2")
    assert prepared["tools"][0]["function"]["name"] == "add"
    [call] = llm.get_tool_calls_from_response(llm.chat(**prepared))
    assert call.tool_kwargs == {"a": 1, "b": 2}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("own", [False, True], ids=["by tools", "by schema"])
async def test_objects(build: Any, ask: Any, client: Any, server: ReplayServer, own: bool, way: str) -> None:  # noqa: FBT001
    """An object is made in the candidate's own way, on the template's question, with its usage on the trace and one event."""
    traces: list[Trace] = []
    counter = TokenCountingHandler(tokenizer=str.split)
    models = {name: client(name, should_use_structured_outputs=own) for name in ("large", "medium", "small")}
    if own and "should_use_structured_outputs" not in type(models["small"]).model_fields:
        pytest.skip("this OpenAILike makes objects by tools alone")
    llm = build(models, observers=[traces.append], callback_manager=CallbackManager([counter]))
    given = (Year, WHEN)
    made = await ask(llm, way, given, endpoint="structured_predict", query_str="1837?", year_of="2000")
    direct = await ask(models["small"], way, given, endpoint="structured_predict", query_str="1837?", year_of="2000")
    assert made.model_dump() == direct.model_dump()
    assert [entry.model for entry in server.ledger] == ["small", "small"]
    assert ("response_format" in server.ledger[0].request) == own
    assert len(counter.llm_token_counts) == 2
    response = traces[0].response
    assert response is not None
    assert response.usage is not None
    assert response.usage.input_tokens == server.ledger[0].input_tokens
    assert response.content == made.model_dump()
    assert traces[0].query.required == {"structured_output"}
    assert traces[0].query.text == "1837?"
    assert traces[0].cost_usd == pytest.approx(server.ledger[0].cost_usd)


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")  # LlamaIndex's own
async def test_a_structured_llm_of_it(build: Any, server: ReplayServer) -> None:
    """`as_structured_llm` chats, completes and streams in objects; the last user message is routed on."""
    structured = build().as_structured_llm(Year)
    hard = [ChatMessage(content="hard: which of 1837 and later?")]
    assert structured.chat(hard).raw == Year(year=1837)
    assert (await structured.achat(hard)).raw == Year(year=1837)
    assert structured.complete("1837 it is").raw == Year(year=1837)
    assert list(structured.stream_chat(hard))
    assert [piece async for piece in await structured.astream_chat(hard)]
    assert [entry.model for entry in server.ledger] == ["large", "large", "small", "large", "large"]


def test_a_program_of_it(build: Any, server: ReplayServer) -> None:
    """FunctionCallingProgram takes it for what it is."""
    program = FunctionCallingProgram.from_defaults(output_cls=Year, llm=build(), prompt_template_str="hard: {q}")
    assert program(q="1837?") == Year(year=1837)
    assert [entry.model for entry in server.ledger] == ["large"]


async def test_a_candidates_own_prompts_frame_a_template(build: Any, client: Any, server: ReplayServer) -> None:
    """`predict` sends the system prompt of whoever answers, and its parser reads the answer."""
    parser = PydanticOutputParser(Year, excluded_schema_keys_from_format=["title"])
    models = {
        "small": client("small", system_prompt="Be brief."),
        "medium": client("medium"),
        "large": client("large", system_prompt="Be long."),
    }
    llm = build(models)
    template = ChatPromptTemplate([ChatMessage(content="hard context. {query_str}")])
    for question in ("easy", "hard"):
        assert llm.predict(template, query_str=question).startswith("small" if question == "easy" else "large")
        assert (await llm.apredict(template, query_str=question)).endswith("characters")
        assert "".join(llm.stream(template, query_str=question)).endswith("characters")
    said = [[one["content"] for one in entry.request["messages"]] for entry in server.ledger]
    assert said == [["Be brief.", "hard context. easy"]] * 3 + [["Be long.", "hard context. hard"]] * 3
    unread = build({**models, "small": client("small", output_parser=parser)})
    with pytest.raises(ValueError, match="Could not extract json"):
        unread.predict(template, query_str="easy")
    with pytest.raises(ConfigError, match="LlamaIndex parses no streams"):
        unread.stream(template, query_str="easy")
    with pytest.raises(ConfigError, match="LlamaIndex parses no streams"):
        await unread.astream(template, query_str="easy")


def test_functions_of_a_template_run_once(build: Any) -> None:
    """What fills a template's variables by a function is asked once for a call, as it may cost something."""
    ran: list[str] = []

    def examples(**_: Any) -> str:
        ran.append("once")
        return "hard examples"

    template = PromptTemplate("{examples}\n{query_str}", function_mappings={"examples": examples})
    assert build().predict(template, query_str="easy").startswith("small")
    assert ran == ["once"]


def test_it_is_a_candidate_like_any_other(build: Any, server: ReplayServer) -> None:
    """A RouterLLM may be another one's candidate."""
    inner = build()
    outer = RouterLLM(models={"small": inner, "medium": inner, "large": inner.models["large"]}, router=inner.router)
    assert outer.chat([ChatMessage(content="hi")]).message.content.startswith("small")
    assert outer.chat([ChatMessage(content="hard")]).message.content.startswith("large")
    assert len(server.ledger) == 2
