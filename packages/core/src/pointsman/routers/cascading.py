"""Cascading: what all routers share that call models in order until an answer is sure enough."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pointsman.components import Tags
from pointsman.confidence.base import Confidence, prefixes
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError, NoEligibleModelError, choices
from pointsman.estimators.base import Estimates
from pointsman.flow import Plan
from pointsman.routers.base import Router
from pointsman.routers.climbing import climb
from pointsman.routers.estimated import constrained
from pointsman.routers.expected import Expected
from pointsman.routers.ladder import ALWAYS, Ladder
from pointsman.routers.replayed import Replayed
from pointsman.types import Answer, Constraints, Context, Decision, Query

__all__ = ["Cascading", "Course"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How queries go at one operating point.

    Parameters:
        rungs: The models in order.
        thresholds: What the score of each but the last must reach.
        standby: Models that are only called when all rungs fail, each with the reason.
        note: Why this course, in words.
    """

    rungs: tuple[str, ...]
    thresholds: Mapping[str, float]
    standby: Mapping[str, str] = field(default_factory=dict)
    note: str = "cascade"


class Cascading(Router):
    """A router whose plan climbs a ladder; it says which rungs there are, with which thresholds, at an operating point."""

    tags: ClassVar[Tags] = Tags(
        when=frozenset({"multi-stage"}), what=frozenset({"query", "response"}), how=frozenset({"supervised"})
    )

    @abstractmethod
    def course(self, point: float | None = None) -> Course:
        """Return the rungs and thresholds at an operating point; None is the router's own setting."""

    @property
    @abstractmethod
    def judge(self) -> Confidence:
        """The confidence that accepts or escalates, fitted."""

    def expected(self) -> Estimates | None:
        """Return what each model scores and costs on average, n = 1; None where nobody knows."""
        return None

    def worth(self, query: Query, course: Course) -> Mapping[str, str]:
        """Return the rungs that are not worth calling for this query, each with the reason."""
        del query, course
        return {}

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the first rung that can serve the query; the ranking goes up the ladder."""
        course = self.course(context.operating_point)
        excluded, degraded = self.exclusions(query, context)
        expected = self.expected()
        if expected is None:
            degraded = (*degraded, *_unchecked(query.constraints))
        else:
            _, excluded, degraded = constrained(expected, query.constraints, excluded, degraded)
        rungs, standby = self._rungs(query, course, excluded)
        ranking = (*rungs, *standby)
        if not ranking:
            raise NoEligibleModelError(excluded)
        skipped = "".join(f"; {name} stands by: {why}" for name, why in standby.items())
        return Decision(
            model=ranking[0],
            ranking=ranking,
            estimates={} if expected is None else _told(expected),
            final=len(rungs) <= 1 or course.thresholds.get(ranking[0], ALWAYS) == ALWAYS,
            reason=f"{course.note}: {' → '.join(rungs or ranking)}{skipped}",
            excluded=excluded,
            degraded=degraded,
        )

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Call model after model until an answer is sure enough."""
        decision = self.decide(query, context)
        course = self.course(context.operating_point)
        rungs, standby = self._rungs(query, course, decision.excluded)
        return (
            yield from climb(
                query,
                context,
                decision=decision,
                rungs=rungs or tuple(standby)[:1],
                standby=tuple(standby) if rungs else tuple(standby)[1:],
                thresholds=course.thresholds,
                confidence=self.judge,
            )
        )

    def _rungs(
        self, query: Query, course: Course, excluded: Mapping[str, str]
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the rungs of a query, and who stands by for it with the reason."""
        skipped = self.worth(query, course)
        rungs = tuple(name for name in course.rungs if name not in excluded and name not in skipped)
        standby = {name: why for name, why in {**skipped, **course.standby}.items() if name not in excluded}
        return rungs, standby

    def replay(
        self,
        dataset: RoutingDataset,
        points: Sequence[float | None],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Replayed]:
        """Yield what driving every query's plan on recorded outcomes comes to, at each operating point.

        Queries that take the same rungs are replayed together, and rungs that several points share are scored once.
        """
        ladders: dict[tuple[tuple[str, ...], bytes], Ladder] = {}
        queries = [dataset.queries[row] for row in range(len(dataset))]
        fixed: dict[tuple[tuple[str, ...], bool], list[tuple[str, ...]]] = {}
        for point in points:
            course = self.course(point)
            key = (course.rungs, point is None)
            if key not in fixed:
                fixed[key] = [
                    self._climbed(query, course, replace(context, operating_point=point)) for query in queries
                ]
            yield self._replayed(dataset, course, fixed[key], ladders)

    def _climbed(self, query: Query, course: Course, context: Context) -> tuple[str, ...]:
        """Return the models that a query's plan calls in order when none of them fails."""
        excluded, _ = self.exclusions(query, context)
        rungs, standby = self._rungs(query, course, excluded)
        return rungs or tuple(standby)[:1]

    def _replayed(
        self,
        dataset: RoutingDataset,
        course: Course,
        rungs_of: Sequence[tuple[str, ...]],
        ladders: dict[tuple[tuple[str, ...], bytes], Ladder],
    ) -> Replayed:
        n = len(dataset)
        model = np.full(n, -1, dtype=np.intp)
        quality, cost, calls = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=np.intp)
        for rungs in dict.fromkeys(rungs_of):
            rows = np.flatnonzero([other == rungs for other in rungs_of])
            ladder = self._ladder(dataset, rungs, rows, ladders)
            found = ladder.climb([course.thresholds.get(name, ALWAYS) for name in rungs[:-1]])
            columns = np.array([dataset.models.index(name) for name in rungs], dtype=np.intp)
            model[rows] = np.where(np.isnan(found.quality), -1, columns[found.rung])
            quality[rows], cost[rows], calls[rows] = found.quality, found.cost_usd, found.calls
        return Replayed(model=model, quality=quality, cost_usd=cost, calls=calls)

    def _ladder(
        self,
        dataset: RoutingDataset,
        rungs: tuple[str, ...],
        rows: NDArray[np.intp],
        ladders: dict[tuple[tuple[str, ...], bytes], Ladder],
    ) -> Ladder:
        key = (rungs, rows.tobytes())
        if key not in ladders:
            if unknown := set(rungs) - set(dataset.models):
                raise DataError(
                    f"There are no outcomes of {choices(unknown)}; there are those of {choices(dataset.models)}."
                )
            part = dataset if len(rows) == len(dataset) else dataset.take(rows)
            scored = [self.judge.recorded(part, ran) for ran in prefixes(rungs)[:-1]]
            ladders[key] = Ladder.of(part, rungs, scored)
        return ladders[key]


def _told(expected: Estimates) -> Expected:
    latency = None if expected.latency_s is None else expected.latency_s[0]
    return Expected(expected.models, expected.quality[0], expected.cost_usd[0], latency)


def _unchecked(limits: Constraints) -> list[str]:
    """Return the limits that a cascade without outcomes cannot hold to."""
    names = ("max_cost_usd", "max_latency_s", "min_quality")
    return [
        f"{name}={getattr(limits, name):g} is not checked, as nothing is known of the models' outcomes"
        for name in names
        if getattr(limits, name) is not None
    ]
