"""Routers: a query and its context in, a decision out, and the plan that carries it through."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pointsman.components import Component
from pointsman.data.queries import Queries
from pointsman.errors import AllModelsFailedError, NoEligibleModelError
from pointsman.flow import Plan, ask, embed
from pointsman.models import ModelPool
from pointsman.types import Answer, Call, CallError, Context, Decision, Embed, Query

__all__ = ["Decisions", "Router", "relabel", "uniform", "with_vector"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decisions:
    """First decisions for n queries: chosen columns (n,) of `models`, propensities (n,), and scores (n, m) if there are any."""

    models: tuple[str, ...]
    model: NDArray[np.intp]
    propensity: NDArray[np.float64]
    scores: NDArray[np.float64] | None = None

    @property
    def names(self) -> list[str]:
        """The chosen models by name."""
        return [self.models[i] for i in self.model.tolist()]


class Router(Component):
    """Decides which model answers a query, and what to do with what comes back.

    Implement `decide`, which is pure: same query, context and state, same decision. The default plan calls the decision's
    model and goes down its ranking on errors that another model may not have. Override `plan` for anything longer.
    """

    @property
    @abstractmethod
    def models(self) -> ModelPool:
        """The models this router may call; raise NotFittedError while unknown."""

    @property
    def asks_once(self) -> bool:
        """Whether a plan whose calls all succeed ends with the answer of its first choice, as the default plan does."""
        return type(self).plan is Router.plan

    @abstractmethod
    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the first decision; raise NoEligibleModelError, with reasons, when no model can serve the query."""

    def decide_many(self, queries: Queries | Sequence[Query], context: Context = Context()) -> Decisions:  # noqa: B008
        """Return the decisions of many queries; the same ones as `decide`, faster where a router knows how."""
        made = [self.decide(query, context) for query in queries]
        names = self.models.names
        index = {name: i for i, name in enumerate(names)}
        return Decisions(
            models=names,
            model=np.array([index[decision.model] for decision in made], dtype=np.intp),
            propensity=np.array([decision.propensity for decision in made], dtype=np.float64),
        )

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return operating points that span what the router can do with such queries; () where it has none."""
        del queries
        return ()

    def sweep(
        self,
        queries: Queries | Sequence[Query],
        points: Sequence[float],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Decisions]:
        """Yield what `decide_many` returns at each operating point; override where the points can share work."""
        for point in points:
            yield self.decide_many(queries, replace(context, operating_point=point))

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Call the chosen model; on a retryable error before the first token, the next of the ranking."""
        decision = self.decide(query, context)
        errors: list[CallError] = []
        for model in decision.ranking:
            try:
                response = yield from ask(Call(model=model, decision=decision, stream=decision.final))
            except CallError as error:
                if not error.retryable or error.emitted:
                    raise
                errors.append(error)
            else:
                return Answer.of(response, reason=_reason(decision, errors))
        raise AllModelsFailedError(errors)

    def exclusions(self, query: Query, context: Context) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return the models left out before scoring, each with the reason, and what could not be honoured.

        While a tool call of a model is open, the others are left out, unless that model cannot go on.
        """
        pool, session = self.models, context.session
        reasons = pool.exclusions(query, context)
        if len(reasons) == len(pool):
            raise NoEligibleModelError(reasons)
        if not session.open_tool_call or session.last_model not in pool:
            return reasons, ()
        if session.last_model in reasons:
            note = f"{session.last_model} has an open tool call but is left out ({reasons[session.last_model]})"
            return reasons, (note,)
        others = {name: f"a tool call of {session.last_model} is open" for name in pool if name != session.last_model}
        return others | reasons, ()


def _reason(decision: Decision, errors: list[CallError]) -> str:
    return "; after ".join([decision.reason, *map(str, errors)])


def uniform(random_state: int, query_id: str, step: int = 0) -> float:
    """Return a number in [0, 1) that depends on its arguments alone: the randomness of a policy, reproducible anywhere."""
    digest = blake2b(f"{random_state}:{step}:{query_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def with_vector(query: Query, embedder: str | None) -> Plan[Query]:
    """Ask an embedder for the vector of a query that brings none; return the query with it, or as it is without an embedder."""
    if embedder is None or query.embedding is not None:
        return query
    (vector,) = yield from embed(Embed(embedder=embedder, texts=(query.text,)))
    return replace(query, embedding=np.array(vector))


def relabel(decision: Decision, step: str) -> Decision:
    """Return a decision with the name of the enclosing part put in front of its path."""
    return replace(decision, path=(step, *decision.path))
