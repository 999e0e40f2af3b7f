"""RouteRunnable: a router chooses among chains and agents, however it is called, and the choice is on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from langchain_router import RouteRunnable
from pointsman.errors import ConfigError
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.pricing import cost_usd
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import Trace, Usage

WAYS = ("invoke", "ainvoke", "stream", "astream")
RULES = (Rule(model="careful", contains=("hard",)),)
ROUTER = RulesRouter(pool=ModelPool(["careful", "quick"]), default="quick", rules=RULES)


class Runs(BaseCallbackHandler):
    """Keeps the runs with their parents and metadata."""

    def __init__(self) -> None:
        self.metadata: dict[str, dict[str, Any]] = {}
        self.names: dict[UUID, str] = {}
        self.parents: dict[str, str | None] = {}

    def _start(self, name: str, run_id: UUID, parent: UUID | None, metadata: dict[str, Any] | None) -> None:
        self.names[run_id] = name
        self.parents[name] = self.names.get(parent) if parent else None
        self.metadata[name] = metadata or {}

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **more: Any) -> None:
        """Keep a chain's."""
        self._start(more["name"] or "model", run_id, more.get("parent_run_id"), more.get("metadata"))

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **more: Any) -> None:
        """Keep a model's."""
        self._start(more["name"] or "model", run_id, more.get("parent_run_id"), more.get("metadata"))


@pytest.fixture
def chains(client: Any) -> dict[str, Runnable[Any, Any]]:
    """Return a chain of one model call, and one of two."""
    prompt = ChatPromptTemplate.from_template("{question}")
    once = prompt | client("small") | StrOutputParser()
    again = {"question": prompt | client("medium") | StrOutputParser()} | prompt | client("large") | StrOutputParser()
    return {"quick": once, "careful": again}


@pytest.fixture
def build(chains: Any) -> Callable[..., RouteRunnable]:
    """Return a maker of routed chains."""

    def make(routes: Any = None, **settings: Any) -> RouteRunnable:
        return RouteRunnable(routes=routes or chains, **{"router": ROUTER, **settings})

    return make


@pytest.mark.parametrize("way", WAYS)
async def test_the_chosen_route_answers(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """Each input goes to the route that the router chooses for the question in it."""
    traces: list[Trace] = []
    routed = build(observers=[traces.append])
    assert await ask(routed, way, {"question": "hi"}) == "small heard 1 messages"
    assert await ask(routed, way, {"question": "a hard one"}) == "large heard 1 messages"
    assert [entry.model for entry in server.ledger] == ["small", "medium", "large"]
    assert [trace.answer.model for trace in traces if trace.answer] == ["quick", "careful"]
    [step] = traces[1].steps
    assert step.outcome.usage.input_tokens == 22  # type: ignore[union-attr]
    assert step.outcome.usage.output_tokens == 14  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["batch", "abatch"])
async def test_batches_route_each_input(build: Any, way: str) -> None:
    """In a batch each input is routed by itself, with its own config, and an exception is its own too."""
    given = [{"question": text} for text in ("hi", "a hard one", "hi", "hi")]
    configs: list[RunnableConfig] = [{}, {}, {"configurable": {"router_model": "careful"}}, {"max_concurrency": 1}]
    routed = build()
    found = routed.batch(given, configs) if way == "batch" else await routed.abatch(given, configs)
    assert [text.split()[0] for text in found] == ["small", "large", "large", "small"]
    odd = [{"question": "hi"}, {"x": 1}]
    if way == "batch":
        found = routed.batch(odd, return_exceptions=True)
    else:
        found = await routed.abatch(odd, return_exceptions=True)
    assert isinstance(found[1], ConfigError)


def test_runs_are_nested_and_tell_the_decision(build: Any) -> None:
    """The route's runs stand under the router's, with tags and metadata of the call and the decision in their metadata."""
    runs = Runs()
    build().invoke({"question": "hi"}, {"callbacks": [runs], "metadata": {"user": "7"}, "run_name": "chosen"})
    assert runs.parents == {
        "chosen": None,
        "RunnableSequence": "chosen",
        "ChatPromptTemplate": "RunnableSequence",
        "model": "RunnableSequence",
        "StrOutputParser": "RunnableSequence",
    }
    told = runs.metadata["model"]
    assert (told["route"], told["route_reason"], told["route_propensity"]) == ("quick", "no rule applies", 1.0)
    assert told["user"] == "7"


@pytest.mark.parametrize("way", WAYS)
async def test_messages_carry_the_record(build: Any, client: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """Where a route ends in a message, its metadata hold the record under "route"; a plain model is a route too."""
    routed = build({"quick": client("small"), "careful": client("large")}, prices=Table())
    message = await ask(routed, way, [HumanMessage("a hard one")])
    record = message.response_metadata["route"]
    assert (record["model"], record["tried"]) == ("careful", ["careful"])
    assert record["cost_usd"] == pytest.approx(server.cost_usd())


class Table:
    """A price list that knows the large model alone."""

    def cost_usd(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """Return what a call cost."""
        return cost_usd(usage, Price(input_per_mtok=10.0, output_per_mtok=40.0)) if model == "large" else None


def test_agents_are_routes(build: Any, client: Any) -> None:
    """Among agents the last message of the chosen one's state carries the record."""
    agents = pytest.importorskip("langchain.agents")
    routed = build({name: agents.create_agent(client(name), []) for name in ("careful", "quick")})
    state = routed.invoke({"messages": [HumanMessage("a hard one")]})
    assert state["messages"][-1].text == "careful heard 1 messages"
    assert state["messages"][-1].response_metadata["route"]["model"] == "careful"
    assert state["messages"][0].content == "a hard one"
    pieces = list(routed.stream({"messages": [HumanMessage("hi")]}, stream_mode="values"))
    assert pieces[-1]["messages"][-1].text == "quick heard 1 messages"


@pytest.mark.parametrize("way", WAYS)
async def test_next_route_takes_over(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """A provider's failure inside a route goes to the next route, and what was used by then is on the bill."""
    pool = ModelPool(
        ModelSpec(name=name, price=Price(input_per_mtok=1.0, output_per_mtok=1.0)) for name in ("careful", "quick")
    )
    traces: list[Trace] = []
    server.fail(Fault(model="large", status=503))
    router = RulesRouter(pool=pool, default="quick", rules=RULES)
    assert (await ask(build(router=router, observers=[traces.append]), way, {"question": "hard"})).startswith("small")
    failed, answered = traces[0].steps
    assert (failed.cost_usd, answered.cost_usd) == (pytest.approx(18e-6), pytest.approx(18e-6))
    server.fail(Fault(status=400))
    with pytest.raises(openai.BadRequestError):
        await ask(build(), way, {"question": "hi"})


@pytest.mark.parametrize("way", WAYS)
async def test_bug_is_not_swallowed(build: Any, ask: Any, way: str) -> None:
    """An exception of a route that is no provider's goes straight up."""

    def fail(_: Any) -> str:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        await ask(build({"quick": fail, "careful": lambda _: "fine"}), way, "hi")


def test_where_the_question_is(build: Any) -> None:
    """The question is a key's, a function's, the config's or the plain one; where none of these is, the error says so."""
    routes = {"quick": RunnableLambda(lambda _: "quick"), "careful": RunnableLambda(lambda _: "careful")}
    hard, easy = "a hard one", "hi"
    cases: list[tuple[Any, Any]] = [
        (hard, None),
        ({"question": hard, "context": easy}, None),
        ({"query": hard}, None),
        ([HumanMessage(hard), AIMessage(easy)], None),
        ({"messages": [HumanMessage(hard)]}, None),
        ({"question": easy, "topic": hard}, "topic"),
        ((1, hard), lambda given: given[1]),
        (ChatPromptTemplate.from_template("{x}").invoke({"x": hard}), None),
    ]
    for given, question in cases:
        assert build(routes, question=question).invoke(given) == "careful", given
    assert build(routes).invoke({"question": easy}, {"metadata": {"router_query": hard}}) == "careful"
    with pytest.raises(ConfigError, match="cannot tell the question in int; give it question="):
        build(routes).invoke(7)


def test_what_it_says_of_itself(build: Any) -> None:
    """Its per-call settings are declared, unknown routes are named, and it composes with `|` and `with_fallbacks`."""
    routed = build({"quick": lambda x: f"quick {x}", "careful": lambda x: f"careful {x}"})
    assert {"router_model", "max_cost_usd"} <= {spec.id for spec in routed.config_specs}
    assert repr(routed) == "RouteRunnable(routes=['quick', 'careful'])"
    assert (RunnableLambda(str.lower) | routed | str.upper).invoke("HARD") == "CAREFUL HARD"
    with pytest.raises(ConfigError, match="'careful'"):
        build({"quick": lambda x: x})
    with pytest.raises(ConfigError, match="routes must map at least one name"):
        RouteRunnable(routes={}, router=ROUTER)
