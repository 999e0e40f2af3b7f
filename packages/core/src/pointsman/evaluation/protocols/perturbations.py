"""Perturbations: does a router decide alike when the same thing is asked otherwise, and can it be forced?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.attacks import FIXED, Embed
from pointsman.evaluation.protocols.edits import edits
from pointsman.evaluation.protocols.rewriting import Perturbation, Rewriting
from pointsman.evaluation.protocols.trial import Bootstrap
from pointsman.metrics import Interval
from pointsman.routers.base import Router

__all__ = ["Perturbations", "perturbations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbations:
    """How firmly a router decides.

    Parameters:
        level: Coverage of the intervals, over test queries.
        queries: Test queries.
        dear: The dearest model on the training data, or several equally dear ones, which attacks aim at; () where all
            models cost the same.
        dear_share: Share of test queries that go there as they are asked.
        quality, cost_usd: Mean quality and cost as they are asked.
        max_cost_usd: The cap on expected cost, halfway between the mean costs of the dearest model and the next; None where
            the router has no policy to cap, or all cost the same.
        quality_capped: Mean quality under the cap without any attack.
        ration: The share of calls that the ration leaves to the dear models.
        edits, attacks: One entry each.
        edit_flips: Share of flips over all edits that preserve meaning; 1 minus it is RouterArena's robustness.
    """

    level: float
    queries: int
    dear: tuple[str, ...]
    dear_share: float
    quality: float | None
    cost_usd: float | None
    max_cost_usd: float | None
    quality_capped: float | None
    ration: float
    edits: tuple[Perturbation, ...]
    attacks: tuple[Perturbation, ...]
    edit_flips: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.protocols.tables import perturbations_text

        return perturbations_text(self)


def perturbations(
    router: Router,
    dataset: RoutingDataset,
    *,
    embed: Embed | None = None,
    typo_rate: float = 0.05,
    words: int = 4,
    ration: float | None = None,
    level: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> Perturbations:
    """Return how often meaning-preserving edits change a router's decision, and how far an attack can force the dear model.

    RouterArena (2510.00202) measures the first on rewritten prompts; the second is the query-independent attack of 2501.01818,
    looked for on training queries and measured on test queries. 80 % of the groups are fitted on.

    Args:
        router: An unfitted router, judged at its own setting.
        dataset: Outcomes, with costs: they say which model is dear.
        embed: Texts to vectors, shape (n, d): the embedder behind the dataset's vectors. Without it edited queries have none,
            and a router that needs them says so.
        typo_rate: Share of letters that typos touch, in (0, 1).
        words: Candidates in a searched attack, at least 1.
        ration: Share of calls that a ration leaves to the dear models; by default what they get without an attack.
        level: Coverage of the intervals.
        draws: Bootstrap resamples, at least 100.
        random_state: The seed of everything.

    Raises:
        ConfigError: A number is out of range.
        DataError: A model's cost is unknown.
    """
    for name, value, ok in (("typo_rate", typo_rate, 0 < typo_rate < 1), ("words", words, words >= 1)):
        if not ok:
            raise ConfigError(f"{name} must be {'in (0, 1)' if name == 'typo_rate' else 'at least 1'}, got {value}.")
    if ration is not None and not 0 <= ration <= 1:
        raise ConfigError(f"ration must be in [0, 1], got {ration}.")
    bootstrap, data = Bootstrap(level=level, draws=draws, random_state=random_state), dataset.canonical()
    if np.isnan(data.mean_cost_usd).any():
        raise DataError("A model's cost is unknown, so nobody can tell which model is dear; give the models a price.")
    train, test = grouped_split(data, (0.8, 0.2), random_state=random_state)
    cost = train.mean_cost_usd
    none = cost.min() == cost.max()
    dear = frozenset(
        name for name, usd in zip(train.models, cost.tolist(), strict=True) if usd == cost.max() and not none
    )
    bench = Rewriting.of(router, train, test, dear, ration, bootstrap, embed)
    changed = [bench.edited(edit, random_state) for edit in edits(typo_rate)]
    forced = [bench.under(attack, "attack (fixed)") for attack in FIXED]
    forced += [bench.under(found, "attack (searched)") for found in bench.searched(train, words)]
    return Perturbations(
        level=level,
        queries=len(test),
        dear=tuple(sorted(dear)),
        dear_share=bench.dear_share(bench.before),
        quality=known_mean(bench.outcomes.quality),
        cost_usd=known_mean(bench.outcomes.cost_usd),
        max_cost_usd=bench.max_cost_usd,
        quality_capped=bench.quality_capped(),
        ration=bench.ration,
        edits=tuple(found for found, _ in changed),
        attacks=tuple(forced),
        edit_flips=bench.interval(np.mean([flips for _, flips in changed], axis=0), low=0),
    )
