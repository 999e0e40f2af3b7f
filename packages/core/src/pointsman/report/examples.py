"""Examples: single decisions with their reasons, the good ones and the bad ones, and how common each kind is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pointsman.report.decided import Decided

__all__ = ["Example", "Examples", "examples"]

Kind = Literal["savings", "rescues", "losses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One decision: what was expected of the chosen and of the best single model, and what happened; None is unknown."""

    query_id: str
    text: str
    domain: str | None
    model: str
    reason: str
    expected_quality: float | None
    expected_quality_best: float | None
    expected_cost_usd: float | None
    expected_cost_best_usd: float | None
    quality: float
    quality_best: float
    cost_usd: float | None
    cost_best_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The most telling decisions of one kind.

    Parameters:
        kind: "savings" (as good as the best single model, and cheaper), "rescues" (better), "losses" (worse).
        count, share: How many test queries are of this kind, and what share.
        shown: The extremes, each text once.
    """

    kind: Kind
    count: int
    share: float
    shown: tuple[Example, ...]


def examples(found: Decided, *, most: int = 4) -> tuple[Examples, ...]:
    """Return savings, rescues and losses among the queries that went elsewhere than to the best single model.

    Savings are ordered by dollars; rescues and losses by the difference in quality, then by the difference that the router
    had counted on: its surest successes, and the mistakes it was surest of.
    """
    gained, saved = found.gained, found.saved_usd
    counted_on = np.nan_to_num(found.expected.quality - found.expected_best.quality, nan=0.0)
    alike = found.elsewhere & (np.abs(gained) <= 1e-9)  # noqa: PLR2004 - means of repeated runs
    kinds: tuple[tuple[Kind, NDArray[np.bool_], tuple[NDArray[np.float64], ...]], ...] = (
        ("savings", alike & (found.mine.quality > 0) & (saved > 0), (saved,)),
        ("rescues", found.elsewhere & (gained > 1e-9), (gained, counted_on)),  # noqa: PLR2004
        ("losses", found.elsewhere & (gained < -1e-9), (-gained, counted_on)),  # noqa: PLR2004
    )
    n = max(len(found.decisions), 1)
    return tuple(
        Examples(
            kind=kind,
            count=int(held.sum()),
            share=float(held.sum() / n),
            shown=tuple(_example(found, row) for row in _foremost(found, held, keys, most)),
        )
        for kind, held, keys in kinds
    )


def _foremost(found: Decided, held: NDArray[np.bool_], keys: tuple[NDArray[np.float64], ...], most: int) -> list[int]:
    """Return the rows of the highest keys, one a text."""
    rows = sorted(np.flatnonzero(held).tolist(), key=lambda i: (*(-float(key[i]) for key in keys), i))
    once: dict[str, int] = {}
    for row in rows:
        once.setdefault(found.test.queries.texts[row], row)
        if len(once) == most:
            break
    return list(once.values())


def _example(found: Decided, row: int) -> Example:
    queries, decision = found.test.queries, found.decisions[row]
    return Example(
        query_id=queries.ids[row],
        text=queries.texts[row],
        domain=queries.domains[row],
        model=decision.model,
        reason=decision.reason,
        expected_quality=_known(found.expected.quality[row]),
        expected_quality_best=_known(found.expected_best.quality[row]),
        expected_cost_usd=_known(found.expected.cost_usd[row]),
        expected_cost_best_usd=_known(found.expected_best.cost_usd[row]),
        quality=float(found.mine.quality[row]),
        quality_best=float(found.best.quality[row]),
        cost_usd=_known(found.mine.cost_usd[row]),
        cost_best_usd=_known(found.best.cost_usd[row]),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
