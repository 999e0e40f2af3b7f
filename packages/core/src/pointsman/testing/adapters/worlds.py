"""Worlds: a server that answers, a router, and the routed model between them, for as long as one check lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pointsman.dispatch import Dispatcher
from pointsman.flow import Plan, ask
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.base import Router
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.adapters.driver import AdapterDriver, Watched
from pointsman.testing.replay_server import LedgerEntry, ReplayServer
from pointsman.types import Answer, Call, Context, Decision, Message, Query, Trace

__all__ = ["EASY", "HARD", "AdapterCase", "World", "cascade", "rules"]

EASY = "What is the capital of France?"
HARD = "This is a hard one: why is there no largest prime?"
_PRICES = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}


def _pool() -> ModelPool:
    return ModelPool(
        ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out))
        for name, (into, out) in _PRICES.items()
    )


def rules() -> Router:
    """Return a router that sends what is called hard to the large model, and all else to the small one."""
    return RulesRouter(pool=_pool(), default="small", rules=(Rule(model="large", contains=("hard",)),))


class _Cascade(Router):
    """Drafts with the small model, has the medium one look at it, and answers with the large one."""

    @property
    def models(self) -> ModelPool:
        """The three models."""
        return _pool()

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Begin with the draft."""
        return Decision(model="small", ranking=("small", "large"), final=False, reason="draft first")

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Draft, judge and escalate; an easy question's draft is accepted."""
        decision = self.decide(query, context)
        draft = yield from ask(Call(model="small", decision=decision))
        verdict = (Message(role="user", content="Is that right?"),)
        yield from ask(Call(model="medium", messages=verdict, purpose="judge"))
        if "hard" not in query.text:
            return Answer.of(draft, reason="accepted")
        final = yield from ask(Call(model="large", decision=decision, stream=True))
        return Answer.of(final, reason="escalated")


def cascade() -> Router:
    """Return a router that makes two calls for an easy question and three for a hard one."""
    return _Cascade()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A routed model, the server behind it and the traces of its calls."""

    driver: AdapterDriver
    server: ReplayServer
    llm: Any
    traces: list[Trace] = field(default_factory=list)

    @property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """What the server was asked."""
        return self.server.ledger

    def ask(self, way: str, question: str) -> str:
        """Return the text shown for a question."""
        return "".join(self.driver.ask(self.llm, way, question))

    def watch(self, act: Callable[[], object]) -> Watched:
        """Do something while the framework's own instruments watch."""
        return self.driver.watch(self.llm, act)


class AdapterCase:
    """An adapter under test, behind its driver."""

    def __init__(self, driver: AdapterDriver) -> None:
        self.driver = driver

    def __repr__(self) -> str:
        return type(self.driver).__name__

    @contextmanager
    def world(self, router: Router | None = None) -> Iterator[World]:
        """Set up a server that knows nothing yet, and a routed model of its own."""
        traces: list[Trace] = []
        with ReplayServer({}, default=self.driver.answer, prices=_PRICES) as server:
            dispatcher = Dispatcher(router or rules(), observers=[traces.append])
            llm = self.driver.build(server.url, dispatcher)
            yield World(driver=self.driver, server=server, llm=llm, traces=traces)
