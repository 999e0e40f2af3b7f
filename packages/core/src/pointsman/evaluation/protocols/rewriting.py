"""Rewriting: what a fitted router does with the test queries as they are asked, and as somebody rewrote them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.evaluation.outcomes import Outcomes, known_mean
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.protocols.attacks import WORDS, Attack, Embed, attacked, greedy_attack, telling_words
from pointsman.evaluation.protocols.edits import Edit
from pointsman.evaluation.protocols.rationing import rationed
from pointsman.evaluation.protocols.trial import Bootstrap, fitted_on, stream
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval
from pointsman.policies.base import Policy
from pointsman.policies.cap import Capped
from pointsman.routers.base import Decisions, Router

__all__ = ["Perturbation", "Rewriting"]

_SEARCHED = 100  # queries on which an attack is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """What one rewriting of all test queries does to a router's decisions.

    Parameters:
        name, kind: Which; the kind is the edit's, or "attack (fixed)", "attack (searched)".
        text: The string that an attack adds; None for edits.
        changed: Share of queries whose text it changes at all.
        flips: Share of queries that go to another model than before.
        quality_change: Mean quality after minus before, by the outcomes of the question as it was asked: an edit keeps its
            meaning, and is taken not to change what the models answer.
        relative_cost: Mean cost after divided by mean cost before.
        dear_share: Share of queries sent to the dearest model, or to any of several equally dear ones.
        dear_share_capped: The same with the policy under a cap on the expected cost of a query; None for edits, and for
            routers without a policy.
        dear_share_rationed: The same when the dear models are not to be had beyond a share of all calls; None for edits.
        quality_change_rationed: Mean quality under the attack with that ration, minus that before the attack without it.
    """

    name: str
    kind: str
    text: str | None
    changed: float
    flips: Interval | None
    quality_change: Interval | None
    relative_cost: float | None
    dear_share: float
    dear_share_capped: float | None = None
    dear_share_rationed: float | None = None
    quality_change_rationed: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rewriting:
    """A fitted router and what it did before anything was rewritten.

    Parameters:
        router, capped: The router, and one with its policy under a cap; None where there is no policy, or nothing to cap.
        max_cost_usd: The cap.
        test: The test queries' outcomes.
        asked: The test queries as rewritings meet them: with vectors only where rewritten ones get some too.
        dear: The dearest models.
        ration: The share of calls that a ration leaves to them.
        before, outcomes: The decisions on the queries as they are asked, and what came of them.
        resampling, level: The draws behind every interval, and its coverage.
        embed: Texts to vectors, shape (n, d), if there is anybody to compute them.
    """

    router: Router
    capped: Router | None
    max_cost_usd: float | None
    test: RoutingDataset
    asked: Queries
    dear: frozenset[str]
    ration: float
    before: Decisions
    outcomes: Outcomes
    resampling: Resampling
    level: float
    embed: Embed | None

    @classmethod
    def of(
        cls,
        router: Router,
        train: RoutingDataset,
        test: RoutingDataset,
        dear: frozenset[str],
        ration: float | None,
        bootstrap: Bootstrap,
        embed: Embed | None,
    ) -> Rewriting:
        """Fit a router, and the same one under a cap, and decide the test queries as they are asked."""
        fitted, cap = fitted_on(router, train), _cap(train)
        policy = router.params().get("policy")
        capped = None
        if cap is not None and isinstance(policy, Policy):
            capped = fitted_on(router.clone(policy=Capped(policy=policy, max_cost_usd=cap)), train)
        asked = replace(test.queries, embeddings=None if embed is None else embed(test.queries.texts))
        before = fitted.decide_many(asked)
        share = float(np.mean([name in dear for name in before.names]))
        return cls(
            router=fitted,
            capped=capped,
            max_cost_usd=None if capped is None else cap,
            test=test,
            asked=asked,
            dear=dear,
            ration=share if ration is None else ration,
            before=before,
            outcomes=_outcomes(test, before.names),
            resampling=bootstrap.over(test),
            level=bootstrap.level,
            embed=embed,
        )

    def dear_share(self, decisions: Decisions) -> float:
        """Return the share of decisions for the dear models."""
        return float(np.mean([name in self.dear for name in decisions.names]))

    def interval(self, values: NDArray[np.float64], *, low: float = -1) -> Interval | None:
        """Return the interval of a mean over test queries."""
        return interval_of(np.asarray(values, dtype=np.float64), self.resampling, level=self.level, low=low)

    def quality_capped(self) -> float | None:
        """Return the mean quality under the cap, without an attack."""
        if self.capped is None:
            return None
        return known_mean(_outcomes(self.test, self.capped.decide_many(self.asked).names).quality)

    def edited(self, edit: Edit, random_state: int) -> tuple[Perturbation, NDArray[np.bool_]]:
        """Return what an edit does, and which queries flip, shape (n,)."""
        pairs = zip(self.asked.texts, self.asked.ids, strict=True)
        texts = tuple(edit(text, query_id, random_state) for text, query_id in pairs)
        found = self.router.decide_many(self._written(texts))
        return self._perturbation(edit.name, edit.kind, None, texts, found), found.model != self.before.model

    def under(self, attack: Attack, kind: str) -> Perturbation:
        """Return what an attack does, without and with the two remedies."""
        queries = attacked(self.asked, attack, self.embed)
        found = self.router.decide_many(queries)
        left = rationed(self.router, queries, self.dear, self.ration, found, self.resampling.random_state)
        shielded = None if self.capped is None else self.dear_share(self.capped.decide_many(queries))
        return replace(
            self._perturbation(attack.name, kind, attack.text, queries.texts, found),
            dear_share_capped=shielded,
            dear_share_rationed=float(np.mean([name in self.dear for name in left.tolist()])),
            quality_change_rationed=self.interval(_outcomes(self.test, left.tolist()).quality - self.outcomes.quality),
        )

    def searched(self, train: RoutingDataset, words: int) -> Iterator[Attack]:
        """Yield the attacks that a search over training queries finds, one for each side."""
        rng = np.random.default_rng(stream(self.resampling.random_state, "attack"))
        rows = rng.permutation(len(train))[:_SEARCHED]
        queries = train.queries.take(np.sort(rows))
        queries = replace(queries, embeddings=None if self.embed is None else self.embed(queries.texts))
        sent = np.array([name in self.dear for name in self.router.decide_many(queries).names])
        pool = tuple(dict.fromkeys((*telling_words(queries, sent), *WORDS)))
        for side in ("prefix", "suffix"):
            yield greedy_attack(self.router, queries, self.dear, pool=pool, side=side, length=words, embed=self.embed)

    def _written(self, texts: Sequence[str]) -> Queries:
        return replace(self.asked, texts=tuple(texts), embeddings=None if self.embed is None else self.embed(texts))

    def _perturbation(
        self, name: str, kind: str, text: str | None, texts: Sequence[str], found: Decisions
    ) -> Perturbation:
        after = _outcomes(self.test, found.names)
        mine, was = known_mean(after.cost_usd), known_mean(self.outcomes.cost_usd)
        return Perturbation(
            name=name,
            kind=kind,
            text=text,
            changed=float(np.mean([a != b for a, b in zip(texts, self.asked.texts, strict=True)])),
            flips=self.interval(found.model != self.before.model, low=0),
            quality_change=self.interval(after.quality - self.outcomes.quality),
            relative_cost=mine / was if mine is not None and was else None,
            dear_share=self.dear_share(found),
        )


def _outcomes(test: RoutingDataset, names: Sequence[str]) -> Outcomes:
    column = {name: j for j, name in enumerate(test.models)}
    return Outcomes.of(test, np.array([column.get(name, -1) for name in names], dtype=np.intp))


def _cap(train: RoutingDataset) -> float | None:
    """Return a cost halfway, by ratio, between the dearest model and the next; None where there is no next."""
    costs = sorted(set(train.mean_cost_usd.tolist()))
    if len(costs) < 2 or not costs[-1] > 0:  # noqa: PLR2004 - the dearest and another
        return None
    return float(np.sqrt(costs[-1] * max(costs[-2], costs[-1] / 100)))
