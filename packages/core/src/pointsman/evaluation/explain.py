"""explain: why one query goes where it goes, and what going elsewhere would mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.passage import Passage, recorded_passage
from pointsman.evaluation.plain import plain
from pointsman.routers.base import Router
from pointsman.routers.estimated import EstimatedRouter, EstimatedState
from pointsman.types import Context, Decision, ModelEstimate, Query

__all__ = ["Candidate", "Explanation", "Instead", "explain"]

_NOTHING = ModelEstimate(quality=None, cost_usd=None, latency_s=None, score=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model of the pool: its place in the ranking (1 is chosen) and what was expected of it, or why it was left out."""

    model: str
    rank: int | None
    quality: float | None
    cost_usd: float | None
    latency_s: float | None
    score: float | None
    excluded: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What another choice would have meant for this query, by the same estimates: differences to the model chosen."""

    what: str
    model: str
    quality: float | None
    cost_usd: float | None
    quality_difference: float | None
    cost_difference_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One decision, its candidates in order, what the estimates rest on, and the alternatives.

    Parameters:
        query: The text that was routed on.
        decision: What the router decided.
        candidates: Every model of the pool, by rank, those left out last.
        basis: What the estimator says its estimates rest on, as plain data; {} where it has nothing to add.
        instead: The best single model, the cheapest one.
        passage: The calls the query would take, and what they cost; None where its outcomes are not on record.
    """

    query: str
    decision: Decision
    candidates: tuple[Candidate, ...]
    basis: Mapping[str, Any]
    instead: tuple[Instead, ...]
    passage: Passage | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        decision = self.decision
        return {
            "query": self.query,
            "model": decision.model,
            "propensity": decision.propensity,
            "reason": decision.reason,
            "degraded": list(decision.degraded),
            "path": list(decision.path),
            "candidates": plain(self.candidates),
            "basis": plain(self.basis),
            "instead": plain(self.instead),
            "passage": None if self.passage is None else plain(self.passage),
        }

    def __str__(self) -> str:
        from pointsman.evaluation.explained import explanation_text

        return explanation_text(self)


def explain(
    router: Router,
    query: Query,
    context: Context = Context(),  # noqa: B008 - frozen
    *,
    reference: RoutingDataset | None = None,
    recorded: RoutingDataset | None = None,
) -> Explanation:
    """Decide on one query and say why.

    Args:
        router: A fitted router.
        query: The query.
        context: What holds at the moment of the decision.
        reference: Outcomes by which the best single and the cheapest model are named; without them they are the ones of
            highest expected quality and of lowest expected cost on this very query.
        recorded: Outcomes among which this query's are: they tell the path of a cascade, draft by draft.

    Raises:
        DataError: When the query is not among the recorded ones, or they lack what a call would have returned.
        NoEligibleModelError: When no model can serve the query.

    >>> from pointsman.routers.rules import RulesRouter
    >>> from pointsman.testing.toys import toy_pool
    >>> explain(RulesRouter(pool=toy_pool(), default="small"), Query(text="2+2?")).candidates[0].model
    'small'
    """
    decision = router.decide(query, context)
    return Explanation(
        query=query.text,
        decision=decision,
        candidates=tuple(_candidates(router, decision)),
        basis=_basis(router, query),
        instead=tuple(_instead(what, model, decision) for what, model in _alternatives(decision, reference).items()),
        passage=None if recorded is None else recorded_passage(router, query, recorded, context),
    )


def _candidates(router: Router, decision: Decision) -> list[Candidate]:
    rank = {model: place for place, model in enumerate(decision.ranking, start=1)}
    names = [*decision.ranking, *(name for name in router.models if name not in rank)]
    return [
        Candidate(
            model=name,
            rank=rank.get(name),
            excluded=decision.excluded.get(name),
            **decision.estimates.get(name, _NOTHING)._asdict(),
        )
        for name in names
    ]


def _basis(router: Router, query: Query) -> Mapping[str, Any]:
    """Return what the estimator says of its estimates."""
    if not isinstance(router, EstimatedRouter):
        return {}
    return router.fitted(EstimatedState).estimator.explain(query)


def _alternatives(decision: Decision, reference: RoutingDataset | None) -> dict[str, str]:
    """Return the models to compare with, by what they are."""
    if reference is not None:
        return {"best single model": reference.best_single, "cheapest model": reference.cheapest}
    rows = decision.estimates
    good = {name: row.quality for name, row in rows.items() if row.quality is not None}
    cheap = {name: row.cost_usd for name, row in rows.items() if row.cost_usd is not None}
    found = {}
    if good:
        found["highest expected quality"] = max(good, key=lambda name: good[name])
    if cheap:
        found["lowest expected cost"] = min(cheap, key=lambda name: cheap[name])
    return found


def _instead(what: str, model: str, decision: Decision) -> Instead:
    there = decision.estimates.get(model, _NOTHING)
    here = decision.estimates.get(decision.model, _NOTHING)
    return Instead(
        what=what,
        model=model,
        quality=there.quality,
        cost_usd=there.cost_usd,
        quality_difference=_minus(there.quality, here.quality),
        cost_difference_usd=_minus(there.cost_usd, here.cost_usd),
    )


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
