"""Switching models in mid-conversation: what one provider alone understands stays with it, and who cannot go on is left out."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from langchain_router import RouterLLM
from langchain_router.switching import fitting, fitting_options, kind_of, obstacles
from pointsman.models import ModelPool
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import ReplayServer
from pointsman.types import Trace

MARK = {"cache_control": {"type": "ephemeral"}}
THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "s1"}


class Claude(ChatOpenAI):
    """A client of the replay server that goes by the name of Anthropic's integration."""

    thinking: dict[str, Any] | None = None

    @property
    def _llm_type(self) -> str:
        return "anthropic-chat"


@tool(extras=MARK)
def look_up(word: str) -> str:
    """Look a word up in the dictionary."""
    return f"{word}: a word"


@pytest.fixture
def models(server: ReplayServer) -> dict[str, ChatOpenAI]:
    """Return a client of each provider."""
    settings: Any = {"base_url": server.url, "api_key": "none", "stream_usage": True, "max_retries": 0}
    return {"claude": Claude(model="claude", **settings), "gpt": ChatOpenAI(model="gpt", **settings)}


def rules(**settings: Any) -> RulesRouter:
    """Return a router that sends what is hard to one model, and all else to the other."""
    given = {"default": "claude", "rules": (Rule(model="gpt", contains=("hard",)),), **settings}
    return RulesRouter(pool=ModelPool(["claude", "gpt"]), **given)


def turn(*, thinking: bool = False, call_id: str = "call_1", author: str | None = "claude") -> list[BaseMessage]:
    """Return a conversation in which tools were called and have answered."""
    call = {"name": "look_up", "args": {"word": "cat"}, "id": call_id}
    record = {"router": {"model": author}} if author else {}
    content: Any = [THINKING, {"type": "text", "text": "I look it up."}] if thinking else "I look it up."
    return [
        HumanMessage("Is it hard?"),
        AIMessage(content, tool_calls=[call], response_metadata=record),
        ToolMessage("cat: a word", tool_call_id=call_id),
    ]


@pytest.mark.parametrize(
    ("integration", "provider", "kind"),
    [
        ("openai-chat", "openai", "openai"),
        ("azure-openai-chat", "azure", "openai"),
        ("anthropic-chat-vertexai", "anthropic", "anthropic"),
        ("chat-google-generative-ai", "google_genai", "google"),
        ("vertexai", "google_vertexai", "google"),
        ("amazon_bedrock_converse_chat", "bedrock_converse", "bedrock"),
        ("chat-ollama", "ollama", "ollama"),
        ("mistralai-chat", "mistralai", "mistralai"),
    ],
)
def test_families_of_providers(integration: str, provider: str, kind: str) -> None:
    """What integrations and their messages call a provider comes to one name."""

    class Named(FakeListChatModel):
        @property
        def _llm_type(self) -> str:
            return integration

    model = Named(responses=["x"])
    assert kind_of(model) == kind
    told = AIMessage([THINKING], response_metadata={"model_provider": provider})
    assert fitting([told], model, {"it": model}) == [told]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_markers_stay_with_their_provider(models: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """Cache markers reach the provider that knows them and no other; the user's messages are not touched."""
    llm = RouterLLM(models=models, router=rules())
    said = [SystemMessage([{"type": "text", "text": "Be brief.", **MARK}])]
    for question, marked in (("easy", True), ("hard", False)):
        given = [*said, HumanMessage([{"type": "text", "text": question, **MARK}])]
        await ask(llm, way, given)
        sent = server.ledger[-1].request["messages"]
        assert ["cache_control" in part for message in sent for part in message["content"]] == [marked, marked]
        assert given[1].content == [{"type": "text", "text": question, **MARK}]


def test_tools_and_settings_lose_their_markers(models: Any) -> None:
    """So do tools, whichever way they are given, and settings; what a tool takes as a parameter of that name stays."""
    schema = {"type": "object", "properties": {"cache_control": {"type": "string"}}}
    function = {"type": "function", "function": {"name": "f", "parameters": schema}, **MARK}
    options = {"tools": [look_up, function, str], "temperature": 0.5, **MARK}
    for name, marked in (("claude", True), ("gpt", False)):
        fitted = fitting_options(options, models[name])
        tool_, dict_, type_ = fitted["tools"]
        assert (tool_.extras, "cache_control" in dict_, "cache_control" in fitted) == (
            MARK if marked else None,
            *[marked] * 2,
        )
        assert dict_["function"]["parameters"] == schema
        assert (type_, fitted["temperature"]) == (str, 0.5)


def test_among_one_provider_nothing_is_taken_out(models: Any, server: ReplayServer) -> None:
    """Where all candidates are of one provider the input goes out as it came, whatever it holds."""
    llm = RouterLLM(models={"claude": models["gpt"], "gpt": models["gpt"]}, router=rules())
    llm.invoke([HumanMessage([{"type": "text", "text": "hard", **MARK}])])
    assert server.ledger[-1].request["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_thinking_binds_an_open_turn(models: Any, server: ReplayServer) -> None:
    """After thinking that only its provider can verify, the turn stays with that provider; the next one need not."""
    traces: list[Trace] = []
    llm = RouterLLM(models=models, router=rules(), observers=[traces.append])
    llm.invoke(turn(thinking=True, author=None)[:2] + turn()[2:])  # by nobody known: nothing is assumed
    assert server.ledger[-1].model == "gpt"
    found = obstacles(turn(thinking=True), models)
    assert found == {"gpt": "the tools were called after thinking that only anthropic can verify"}
    assert obstacles([*turn(thinking=True), AIMessage("Yes."), HumanMessage("hard")], models) == {}
    assert obstacles(turn(), models) == {}


def test_foreign_thinking_is_left_out(models: Any) -> None:
    """What another provider thought in earlier turns is not sent; its own is."""
    llm = RouterLLM(models=models, router=rules())
    earlier = AIMessage([THINKING, {"type": "text", "text": "Yes."}], response_metadata={"router": {"model": "claude"}})
    conversation = [HumanMessage("hi"), earlier, HumanMessage("hard")]
    assert llm.invoke(conversation).response_metadata["router"]["model"] == "gpt"
    assert fitting(conversation, models["gpt"], models)[1].content == [{"type": "text", "text": "Yes."}]
    assert fitting(conversation, models["claude"], models) == conversation
    told = AIMessage([THINKING], response_metadata={"model_provider": "anthropic"})
    assert fitting([told], models["gpt"], models)[0].content == []
    assert fitting([AIMessage([THINKING])], models["gpt"], models)[0].content == [THINKING]


def test_thinking_that_is_missing(models: Any) -> None:
    """A model whose thinking is on cannot go on from a tool call that came without any."""
    thinker = models["claude"].model_copy(update={"thinking": {"type": "enabled", "budget_tokens": 1024}})
    candidates = {**models, "thinker": thinker}
    why = "its thinking is on, and the tool call it would go on from came without"
    assert obstacles(turn(), candidates) == {"thinker": why}
    assert "thinker" not in obstacles(turn(thinking=True), candidates)


def test_ids_of_tool_calls(models: Any) -> None:
    """A candidate whose provider does not take an id that stands in the conversation is left out, with the reason."""
    odd, long = "functions.look_up:0", "x" * 64
    assert obstacles(turn(call_id=odd), models) == {"claude": f"its provider does not take the tool call id {odd!r}"}
    assert list(obstacles(turn(call_id=long), models)) == ["gpt"]
    assert list(obstacles([*turn(call_id=odd), AIMessage("So."), HumanMessage("hi")], models)) == ["claude"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_agents_switch_only_where_it_goes(models: Any, server: ReplayServer, way: str) -> None:
    """In an agent that chooses per call, thinking binds the turn; without it the next model takes over, without markers."""
    agents = pytest.importorskip("langchain.agents")
    from langchain_router import RouterMiddleware

    step = Rule(model="gpt", tags={"agent_step": "tool_result"})
    made = RouterMiddleware(models=models, router=rules(rules=(step,)), per="call")
    agent = agents.create_agent(models["claude"], [look_up], system_prompt="Be brief.", middleware=[made])
    for thinking, model in ((False, "gpt"), (True, "claude")):
        given: Any = {"messages": turn(thinking=thinking)}
        given["messages"][0] = HumanMessage([{"type": "text", "text": "Is it hard?", **MARK}])
        state = agent.invoke(given) if way == "invoke" else await agent.ainvoke(given)
        [record] = state["router_log"]
        sent = server.ledger[-1].request
        assert record["model"] == server.ledger[-1].model == model
        assert ("cache_control" in str(sent["messages"])) == (model == "claude")
    assert record["excluded"]["gpt"].endswith("thinking that only anthropic can verify")
