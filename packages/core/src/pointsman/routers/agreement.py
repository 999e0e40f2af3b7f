"""AgreementCascade: tiers of models that vote, from the cheapest on, until enough of them agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Gt, Le, Len
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.confidence.codes import ABSENT, MUTE, keys_of
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence
from pointsman.confidence.matches import NormalisedMatch
from pointsman.confidence.reading import said
from pointsman.data.dataset import RoutingDataset
from pointsman.data.notes import tell_notes
from pointsman.data.queries import Queries
from pointsman.errors import AllModelsFailedError, ConfigError, DataError, NoEligibleModelError, choices
from pointsman.flow import Plan
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.routers.ladder import NEVER, Ladder
from pointsman.routers.replayed import Replayed
from pointsman.routers.thresholds import Goal, measured
from pointsman.types import Answer, Call, CallError, Context, Decision, Query, Response

__all__ = ["AgreementCascade"]

Tiers = tuple[tuple[str, ...], ...]


class AgreementState(State):
    """The share that has to agree, and the pool."""

    share: float
    pool: ModelPool


class AgreementCascade(Router):
    """Ask all models of a tier at once; where a large enough share agrees, that is the answer, else the next tier is asked.

    The vote takes no training and its members may together beat the best single model (agreement-based cascades, arXiv
    2407.02348). A tier of one model is never in agreement with itself, unless it is the last. Members may be prompting
    strategies of one model under names of their own, such as "small|cot" and "small|pot": that is the vote across
    representations of mixture-of-thought cascades (ICLR 2024, arXiv 2310.03094). The operating point is the share. The answer
    is that of the first member of the largest camp, of equally large ones of the camp of the first member; it rests on the
    whole camp.

    Parameters:
        tiers: The models of each tier, no model twice.
        share: The share of a tier's answers that has to agree; None learns it, so that the best single model's mean quality is
            kept at the least cost.
        equivalence: Which answers say the same.
        pool: What is known of the models; by default what the dataset says.

    Raises:
        ConfigError: When a model is in two tiers, or a tier is empty.
    """

    tags: ClassVar[Tags] = Tags(when=frozenset({"multi-stage"}), what=frozenset({"query", "response"}))

    tiers: Annotated[Tiers, Len(1)]
    share: Annotated[float, Gt(0), Le(1)] | None = 1.0
    equivalence: Equivalence = NormalisedMatch()
    pool: ModelPool | None = None

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that asks for unanimity, and one that learns the share."""
        tiers = (("small", "medium"), ("large",))
        return cls(tiers=tiers), cls(tiers=tiers, share=None)

    def __post_init__(self) -> None:
        """Validate the parameters, and that the tiers share no model."""
        super().__post_init__()
        members = [name for tier in self.tiers for name in tier]
        if repeated := {name for name in members if members.count(name) > 1}:
            raise ConfigError(f"AgreementCascade.tiers has {choices(repeated)} more than once.")
        if not all(self.tiers):
            raise ConfigError(f"AgreementCascade.tiers has a tier without models: {self.tiers}.")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Set the share where it is to be learnt, and return self.

        Raises:
            DataError: When models are missing, or answers cannot be compared without calls while the share is to be learnt.
        """
        tell_notes(dataset, type(self).__name__)
        members = [name for tier in self.tiers for name in tier]
        if unknown := set(members) - set(dataset.models):
            raise DataError(f"The dataset has no model {choices(unknown)}; it has {choices(dataset.models)}.")
        data = dataset.canonical()
        pool = self.pool or (data.pool or ModelPool(data.models)).restrict(members)
        share = self._learnt(data.only(members)) if self.share is None else self.share
        return self.with_state(AgreementState(share=share, pool=pool))

    def _learnt(self, data: RoutingDataset) -> float:
        goal = Goal(quality=float(np.nanmax(data.mean_quality)))
        ladder, _ = self._ladder(data, self.tiers)
        shares = np.unique(ladder.score[np.isfinite(ladder.score)])
        limits = [*shares.tolist(), NEVER]
        found = {limit: measured(ladder, [limit] * (ladder.rungs - 1)) for limit in limits}
        best = max(found, key=lambda limit: (goal.rank(found[limit].quality, found[limit].cost_usd), -limit))
        return float(min(best, 1.5))

    @property
    def models(self) -> ModelPool:
        """The models of all tiers."""
        if self.state_ is not None or self.share is None:
            return self.fitted(AgreementState).pool
        return self.pool or ModelPool([name for tier in self.tiers for name in tier])

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return the shares that differ for tiers of these sizes; above 1 only the last tier's answer counts."""
        del queries
        sizes = {len(tier) for tier in self.tiers}
        return (*sorted({i / size for size in sizes for i in range(1, size + 1)}), 1.5)

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the first tier's first model; the ranking goes through the tiers."""
        excluded, degraded = self.exclusions(query, context)
        tiers = self._open(excluded)
        if not tiers:
            raise NoEligibleModelError(excluded)
        limits = query.constraints
        unchecked = [
            f"{name}={getattr(limits, name):g} is not checked by a vote"
            for name in ("max_cost_usd", "max_latency_s", "min_quality")
            if getattr(limits, name) is not None
        ]
        ranking = tuple(name for tier in tiers for name in tier)
        return Decision(
            model=ranking[0],
            ranking=ranking,
            final=len(ranking) == 1,
            reason="vote: " + " → ".join(" + ".join(tier) for tier in tiers),
            excluded=excluded,
            degraded=(*degraded, *unchecked),
        )

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Ask tier after tier until enough agree; the last tier's vote counts as it is."""
        decision = self.decide(query, context)
        limit = self._limit(context.operating_point)
        tiers = self._open(decision.excluded)
        held: Answer | None = None
        errors: list[CallError] = []
        for number, tier in enumerate(tiers, start=1):
            last = number == len(tiers)
            alone = last and len(tier) == 1
            outcomes = yield tuple(Call(model=name, decision=decision, stream=alone) for name in tier)
            failed = [outcome for outcome in outcomes if isinstance(outcome, CallError)]
            answers = [outcome for outcome in outcomes if isinstance(outcome, Response)]
            errors += failed
            fatal = [error for error in failed if not error.retryable]
            if not answers:
                if fatal and held is None:
                    raise fatal[0]
                if fatal:
                    break
                continue
            groups = yield from self.equivalence.groups(query, [said(answer) for answer in answers])
            vote = _vote(answers, groups)
            share = vote.confidence or 0.0
            if last or (len(answers) > 1 and share >= limit):
                return replace(vote, reason=f"{share:.0%} of {len(answers)} agree" + _after(errors))
            held = vote if held is None or share >= (held.confidence or 0.0) else held
            if fatal:
                break
        if held is None:
            raise AllModelsFailedError(errors)
        return replace(held, reason="the largest camp in hand" + _after(errors))

    def _limit(self, point: float | None) -> float:
        if point is not None:
            return point
        return self.share if self.share is not None else self.fitted(AgreementState).share

    def _open(self, excluded: Mapping[str, str]) -> Tiers:
        tiers = (tuple(name for name in tier if name not in excluded) for tier in self.tiers)
        return tuple(tier for tier in tiers if tier)

    def replay(
        self,
        dataset: RoutingDataset,
        points: Sequence[float | None],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Replayed]:
        """Yield what driving every query's plan on recorded outcomes comes to, at each operating point."""
        tiers_of = [self._open(self.exclusions(query, context)[0]) for query in dataset.queries]
        groups = {tiers: np.flatnonzero([other == tiers for other in tiers_of]) for tiers in dict.fromkeys(tiers_of)}
        made = {tiers: self._ladder(dataset.take(rows), tiers) for tiers, rows in groups.items()}
        for point in points:
            n = len(dataset)
            model, calls = np.full(n, -1, dtype=np.intp), np.zeros(n, dtype=np.intp)
            quality, cost = np.full(n, np.nan), np.full(n, np.nan)
            for tiers, rows in groups.items():
                ladder, winner = made[tiers]
                found = ladder.climb([self._limit(point)] * (len(tiers) - 1))
                sizes = np.cumsum([len(tier) for tier in tiers])
                model[rows] = np.where(np.isnan(found.quality), -1, winner[np.arange(len(rows)), found.rung])
                quality[rows], cost[rows], calls[rows] = found.quality, found.cost_usd, sizes[found.rung]
            yield Replayed(model=model, quality=quality, cost_usd=cost, calls=calls)

    def _ladder(self, data: RoutingDataset, tiers: Tiers) -> tuple[Ladder, NDArray[np.intp]]:
        """Return the tiers as rungs of a ladder, and the winning member of each as columns of the data, shape (n, t)."""
        if not isinstance(self.equivalence, KeyedEquivalence):
            raise DataError(f"{type(self.equivalence).__name__} compares answers by calls, which outcomes cannot tell.")
        parts = [_tier(data, tier, self.equivalence) for tier in tiers]
        score, quality, cost, kept, winner = (np.column_stack(column) for column in zip(*parts, strict=True))
        below = len(tiers) - 1
        nothing = np.zeros((len(data), below))
        ladder = Ladder(
            score=score[:, :below], quality=quality, cost_usd=cost, check_usd=nothing, checks=nothing, kept=kept
        )
        return ladder, winner.astype(np.intp)


def _tier(data: RoutingDataset, tier: Sequence[str], equivalence: KeyedEquivalence) -> tuple[np.ndarray, ...]:
    """Return the share of the largest camp, its first member's quality, all members' cost, what is kept, and that member."""
    columns = np.array([data.models.index(name) for name in tier])
    keys = np.column_stack([keys_of(data, name, equivalence) for name in tier])
    same = (keys[:, :, None] == keys[:, None, :]) & (keys[:, :, None] != MUTE)
    size = np.maximum(same.sum(axis=2), 1)
    first = size.argmax(axis=1)
    rows = np.arange(len(data))
    share = size[rows, first] / len(tier) if len(tier) > 1 else np.full(len(data), np.nan)
    kept = (keys != ABSENT).all(axis=1)
    cost = data.cost_usd[:, columns].sum(axis=1)
    return np.where(kept, share, np.nan), data.quality[rows, columns[first]], cost, kept, columns[first]


def _vote(answers: Sequence[Response], groups: Sequence[int | None]) -> Answer:
    """Return the answer of the largest camp, with its share as confidence."""
    camps = [
        [i] if group is None else [j for j, other in enumerate(groups) if other == group]
        for i, group in enumerate(groups)
    ]
    camp = max(camps, key=len)
    first = Answer.of(answers[camp[0]], confidence=len(camp) / len(answers))
    return replace(first, support=tuple(answers[i].step for i in camp))


def _after(errors: Sequence[CallError]) -> str:
    return "".join(f"; after {error}" for error in errors)
