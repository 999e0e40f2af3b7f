"""RouterMiddleware: the model of every call of an agent is the router's choice, recorded, mended and paid for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from pointsman.budgets import Budget
from pointsman.errors import BudgetExceededError, ConfigError
from pointsman.models import ModelPool, ModelSpec
from pointsman.routers.base import Router
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import Context, Decision, Query, Trace

agents = pytest.importorskip("langchain.agents")
middleware = pytest.importorskip("langchain.agents.middleware")
strategies = pytest.importorskip("langchain.agents.structured_output")

from langchain_router import RouterMiddleware  # noqa: E402 - only where there are agents

WAYS = ("invoke", "ainvoke")


@tool
def look_up(word: str) -> str:
    """Look a word up in the dictionary."""
    return f"{word}: a word"


class Verdict(BaseModel):
    """What an agent ends with."""

    word: str
    known: bool


class Broken(RulesRouter):
    """A router with a bug."""

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Fail."""
        raise ZeroDivisionError("a bug in the router")


@pytest.fixture
def routed(client: Any, pool: ModelPool) -> Callable[..., RouterMiddleware]:
    """Return a maker of middlewares: "hard" questions go to the large model, all others to the small one."""

    def make(router: Router | None = None, **settings: Any) -> RouterMiddleware:
        rules = (Rule(model="large", contains=("hard",)),)
        router = router or RulesRouter(pool=pool, default="small", rules=rules)
        models = settings.pop("models", {name: client(name) for name in pool})
        return RouterMiddleware(models=models, router=router, **settings)

    return make


async def run(agent: Any, way: str, text: str = "hi", config: Any = None) -> dict[str, Any]:
    """Run an agent on a question."""
    given = {"messages": [HumanMessage(text)]}
    state: dict[str, Any] = agent.invoke(given, config) if way == "invoke" else await agent.ainvoke(given, config)
    return state


def asked(server: ReplayServer) -> list[str]:
    """Return whom the server was asked for."""
    return [entry.model for entry in server.ledger]


@pytest.mark.parametrize("way", WAYS)
async def test_agent_runs_on_the_chosen_model(routed: Any, client: Any, server: ReplayServer, way: str) -> None:
    """The router's choice answers every call of a run, with the record in the state and on each message."""
    traces: list[Trace] = []
    agent = agents.create_agent(client("own"), [look_up], middleware=[routed(observers=[traces.append])])
    state = await run(agent, way, "A hard one: look up 'cat'.")
    _, first, told, last = state["messages"]
    assert asked(server) == ["large", "large"]
    assert told.content == "cat: a word"
    assert [record["model"] for record in state["router_log"]] == ["large", "large"]
    assert [first.response_metadata["router"], last.response_metadata["router"]] == state["router_log"]
    assert [record["trace_id"] for record in state["router_log"]] == [trace.id for trace in traces]
    assert sum(record["cost_usd"] for record in state["router_log"]) == pytest.approx(server.cost_usd())
    assert traces[0].query.required == {"tools"}
    assert traces[1].query.tags == {"agent_step": "tool_result", "agent_tool": "look_up"}


@pytest.mark.parametrize("way", WAYS)
async def test_per_call_chooses_anew(routed: Any, client: Any, pool: ModelPool, server: ReplayServer, way: str) -> None:
    """With per="call" each step is routed by itself; with per="run" the first choice stays until the human speaks again."""
    rules = (Rule(model="large", tags={"agent_step": "tool_result"}),)
    router = RulesRouter(pool=pool, default="small", rules=rules)
    for per, expected in (("call", ["small", "large"]), ("run", ["small", "small"])):
        before = len(server.ledger)
        agent = agents.create_agent(client("own"), [look_up], middleware=[routed(router, per=per)])
        state = await run(agent, way, "look up 'cat'")
        assert asked(server)[before:] == expected
        again = {"messages": [*state["messages"], HumanMessage("thanks")]}
        agent.invoke(again)
        assert asked(server)[-1] == "small"


@pytest.mark.parametrize("way", WAYS)
async def test_kept_model_that_fails_is_left(routed: Any, client: Any, server: ReplayServer, way: str) -> None:
    """Within a run another model takes over from one that fails, and the record says so and pays for both."""
    turn = [
        HumanMessage("look up 'cat'"),
        AIMessage(
            "",
            tool_calls=[{"name": "look_up", "args": {"word": "cat"}, "id": "c1"}],
            response_metadata={"router": {"model": "large"}},
        ),
        ToolMessage("cat: a word", tool_call_id="c1"),
    ]
    server.fail(Fault(model="large", status=503))
    agent = agents.create_agent(client("own"), [look_up], middleware=[routed()])
    state = agent.invoke({"messages": turn}) if way == "invoke" else await agent.ainvoke({"messages": turn})
    [record] = state["router_log"]
    assert asked(server) == ["large", "small"]
    assert (record["model"], record["tried"]) == ("small", ["large", "small"])
    assert record["degraded"][0].startswith("large, which answered before, cannot go on: ")
    assert record["cost_usd"] == pytest.approx(server.cost_usd())


def test_nobody_else_does_not_hide_why(routed: Any, client: Any, server: ReplayServer) -> None:
    """Where the model of a run fails and no other can go on, its provider's own error is raised."""
    router = RulesRouter(pool=ModelPool(["small"]), default="small")
    server.fail(Fault(status=429, count=None))
    turn = [HumanMessage("hi"), AIMessage("yes?", response_metadata={"router": {"model": "small"}})]
    agent = agents.create_agent(client("own"), [], middleware=[routed(router)])
    with pytest.raises(openai.RateLimitError):
        agent.invoke({"messages": turn})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("format_", [Verdict, "tool", "provider"])
async def test_structured_response(routed: Any, client: Any, server: ReplayServer, way: str, format_: Any) -> None:
    """A response format reaches the chosen model in whichever form suits it, and is what the request needs."""
    wanted = {"tool": strategies.ToolStrategy(Verdict), "provider": strategies.ProviderStrategy(Verdict)}
    traces: list[Trace] = []
    agent = agents.create_agent(
        client("own"),
        [],
        response_format=wanted.get(format_, format_) if isinstance(format_, str) else format_,
        middleware=[routed(observers=[traces.append])],
    )
    state = await run(agent, way, "Is 'cat' a word?")
    assert isinstance(state["structured_response"], Verdict)
    assert asked(server) == ["small"]
    assert traces[0].query.required == ({"tools"} if format_ == "tool" else {"structured_output"})
    assert state["router_log"][0]["model"] == "small"


def test_requests_only_reach_those_who_can(routed: Any, client: Any, server: ReplayServer) -> None:
    """Tools, images and the context window decide who is eligible, whatever the rules prefer."""
    pool = ModelPool(
        [
            ModelSpec(name="large", capabilities=frozenset({"tools"})),
            ModelSpec(name="medium", capabilities=frozenset({"image"})),
            ModelSpec(name="small", capabilities=frozenset()),
        ]
    )
    made = routed(RulesRouter(pool=pool, default="small"))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    agents.create_agent(client("own"), [], middleware=[made]).invoke({"messages": [HumanMessage("hi")]})
    agents.create_agent(client("own"), [look_up], middleware=[made]).invoke({"messages": [HumanMessage("hi")]})
    seen = HumanMessage([{"type": "text", "text": "What is it?"}, picture])
    state = agents.create_agent(client("own"), [], middleware=[made]).invoke({"messages": [seen]})
    assert asked(server) == ["small", "large", "medium"]
    assert state["router_log"][0]["excluded"] == {"large": "cannot do 'image'", "small": "cannot do 'image'"}


@pytest.mark.parametrize("way", WAYS)
async def test_router_failure_leaves_the_agents_own_model(
    routed: Any, client: Any, pool: ModelPool, server: ReplayServer, way: str
) -> None:
    """Where the router fails, the agent's own model answers and the record says why; with on_error="raise" it is raised."""
    broken = Broken(pool=pool, default="small")
    state = await run(agents.create_agent(client("own"), [], middleware=[routed(broken)]), way)
    [record] = state["router_log"]
    assert asked(server) == ["own"]
    assert state["messages"][-1].text == "own heard 1 messages"
    assert (record["model"], record["cost_usd"]) == (None, None)
    [note] = record["degraded"]
    assert note == "the router failed, so the agent's own model answers: ZeroDivisionError: a bug in the router"
    with pytest.raises(ZeroDivisionError):
        await run(agents.create_agent(client("own"), [], middleware=[routed(broken, on_error="raise")]), way)


def test_nobody_eligible_leaves_the_agents_own_model(routed: Any, client: Any, server: ReplayServer) -> None:
    """A request that no candidate can serve is left to the agent's own model, with each one's reason."""
    pool = ModelPool([ModelSpec(name="small", capabilities=frozenset())])
    agent = agents.create_agent(client("own"), [look_up], middleware=[routed(RulesRouter(pool=pool, default="small"))])
    state = agent.invoke({"messages": [HumanMessage("hi")]})
    assert asked(server) == ["own"]
    assert "small: cannot do 'tools'" in state["router_log"][0]["degraded"][0]


@pytest.mark.parametrize("way", WAYS)
async def test_errors_of_models_are_no_router_failure(routed: Any, client: Any, server: ReplayServer, way: str) -> None:
    """When every candidate fails the last provider's own error is raised; the agent's own model is no fallback."""
    server.fail(Fault(status=503, count=None))
    with pytest.raises(openai.InternalServerError):
        await run(agents.create_agent(client("own"), [], middleware=[routed()]), way)
    assert asked(server) == ["small", "medium", "large"]


def test_spent_budget_is_raised(routed: Any, client: Any, server: ReplayServer) -> None:
    """A spent budget does not go round by the agent's own model."""
    agent = agents.create_agent(client("own"), [], middleware=[routed(budget=Budget(1e-9))])
    with pytest.raises(BudgetExceededError):
        agent.invoke({"messages": [HumanMessage("hi")]})
    assert asked(server) == []


@pytest.mark.parametrize("way", WAYS)
async def test_fallback_within(routed: Any, client: Any, server: ReplayServer, way: str) -> None:
    """A fallback listed after the router mends its choice, and the record names who really answered."""
    server.fail(Fault(model="small", status=400))  # no other candidate would be asked for that
    fallback = middleware.ModelFallbackMiddleware(client("rescue"))
    state = await run(agents.create_agent(client("own"), [], middleware=[routed(), fallback]), way)
    [record] = state["router_log"]
    assert asked(server) == ["small", "rescue"]
    assert (record["model"], record["tried"], record["cost_usd"]) == ("rescue", ["small"], None)
    server.fail(Fault(model="small", status=400))
    fallback = middleware.ModelFallbackMiddleware(client("large"))
    state = await run(agents.create_agent(client("own"), [], middleware=[routed(), fallback]), way)
    [record] = state["router_log"]
    assert (record["model"], record["cost_usd"]) == ("large", pytest.approx((11 * 10 + 7 * 40) / 1e6))


@pytest.mark.parametrize("way", WAYS)
async def test_fallback_around(routed: Any, client: Any, server: ReplayServer, way: str) -> None:
    """A fallback listed before the router is asked once all candidates have failed, and its model is not routed away."""
    server.fail(*(Fault(model=name, status=503) for name in ("small", "medium", "large", "rescue")))
    fallback = middleware.ModelFallbackMiddleware(client("rescue"), client("last"))
    made = routed()
    state = await run(agents.create_agent(client("own"), [], middleware=[fallback, made]), way)
    [record] = state["router_log"]
    assert asked(server) == ["small", "medium", "large", "rescue", "last"]
    assert record["model"] is None
    assert record["reason"].startswith("another middleware has named the model")
    state = await run(agents.create_agent(client("own"), [], middleware=[fallback, made]), way)
    assert state["router_log"][0]["model"] == "small"


@pytest.mark.parametrize("order", [0, 1])
def test_retry_in_either_order(routed: Any, client: Any, server: ReplayServer, order: int) -> None:
    """ModelRetryMiddleware repeats the chosen model within the router, and the routing around it."""
    retry = middleware.ModelRetryMiddleware(max_retries=1, initial_delay=0.0, jitter=False)
    made = routed(RulesRouter(pool=ModelPool(["small"]), default="small"))
    server.fail(Fault(model="small", status=503))
    stack = [made, retry] if order == 0 else [retry, made]
    state = agents.create_agent(client("own"), [], middleware=stack).invoke({"messages": [HumanMessage("hi")]})
    assert asked(server) == ["small", "small"]
    assert [record["model"] for record in state["router_log"]] == ["small"]


async def test_messages_stream_shows_each_token_once(routed: Any, client: Any, server: ReplayServer) -> None:
    """LangGraph's "messages" stream shows the answer once, token by token, also after a fallback before the first one."""
    agent = agents.create_agent(client("own"), [], middleware=[routed()])
    given = {"messages": [HumanMessage("hi")]}
    for fault, model in ((None, "small"), (Fault(model="small", status=429, count=2), "medium")):
        if fault is not None:
            server.fail(fault)
        sync = [piece for piece, _ in agent.stream(given, stream_mode="messages")]
        later = [piece async for piece, _ in agent.astream(given, stream_mode="messages")]
        for pieces in (sync, later):
            assert len([piece for piece in pieces if isinstance(piece, AIMessageChunk)]) > 3
            assert "".join(piece.text for piece in pieces) == f"{model} heard 1 messages"


def test_no_other_model_after_the_first_token(routed: Any, client: Any, server: ReplayServer) -> None:
    """Once a token was shown in LangGraph's stream, a broken answer is not begun anew by another model."""
    server.fail(Fault(model="small", after_tokens=2))
    agent = agents.create_agent(client("own"), [], middleware=[routed()])
    shown: list[Any] = []
    stream = agent.stream({"messages": [HumanMessage("hi")]}, stream_mode="messages")
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):  # by the version of langchain-openai
        shown.extend(piece for piece, _ in stream)
    assert "".join(piece.text for piece in shown) == "small he"
    assert asked(server) == ["small"]


def test_settings_of_a_call(routed: Any, client: Any, server: ReplayServer) -> None:
    """A config pins a candidate, names the question and the thread; `query` reads the question otherwise."""
    traces: list[Trace] = []
    agent = agents.create_agent(client("own"), [], middleware=[routed(observers=[traces.append])])
    given = {"messages": [HumanMessage("a hard context\n\nhi")]}
    agent.invoke(given, {"configurable": {"router_model": "medium", "thread_id": "t1"}})
    agent.invoke(given, {"metadata": {"router_query": "hi"}})
    asking = routed(query=lambda messages: messages[-1].text.split("\n")[-1])
    agents.create_agent(client("own"), [], middleware=[asking]).invoke(given)
    assert asked(server) == ["medium", "small", "small"]
    assert traces[0].query.session_id == "t1"


def test_wrong_parameters_are_named(routed: Any) -> None:
    """A value that is none of the choices, and a router that may choose a model that is not there, raise ConfigError."""
    with pytest.raises(ConfigError, match=r"RouterMiddleware.per must be one of 'run', 'call', got 'step'"):
        routed(per="step")
    with pytest.raises(ConfigError, match="for which models has no chat model"):
        routed(models={"small": routed().models["small"]})
