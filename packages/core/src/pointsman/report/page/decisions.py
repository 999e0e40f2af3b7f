"""Decisions: examples and shares as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pointsman.report.behaviour import Behaviour
from pointsman.report.examples import Example, Examples
from pointsman.report.page.words import clean, money, per_thousand, quality, share

__all__ = ["Bar", "Group", "Item", "Line", "bars", "behaviour_text", "example_groups"]

_SHOWN = 12
_TITLES: Mapping[str, str] = {
    "savings": "Savings: as good, for less",
    "rescues": "Rescues: better than the best single model",
    "losses": "Losses: worse than the best single model",
}
_TEXTS: Mapping[str, str] = {
    "savings": "{count} test queries ({share}) were answered as well by a cheaper model; these saved most.",
    "rescues": "On {count} test queries ({share}) the chosen model did better; of these the router was surest.",
    "losses": "On {count} test queries ({share}) the chosen model did worse; these are the mistakes it was surest of.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One model in an example."""

    model: str
    expected: str
    expected_cost: str
    scored: str
    cost: str
    tone: str
    came: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One example."""

    text: str
    place: str
    reason: str
    lines: tuple[Line, Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Examples of one kind."""

    title: str
    text: str
    shown: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One model's share of the queries."""

    name: str
    share: str
    width: str
    tip: str
    best: bool


def example_groups(found: Sequence[Examples], best_single: str) -> list[Group]:
    """Return all kinds of examples, those without any too."""
    return [
        Group(
            title=_TITLES[group.kind],
            text=_TEXTS[group.kind].format(count=f"{group.count:,}", share=share(group.share))
            if group.count
            else "There are none among the test queries.",
            shown=tuple(_item(example, best_single) for example in group.shown),
        )
        for group in found
    ]


def _item(example: Example, best_single: str) -> Item:
    better = example.quality - example.quality_best
    chosen = Line(
        model=f"{clean(example.model, 60)} (chosen)",
        expected=quality(example.expected_quality),
        expected_cost=money(example.expected_cost_usd),
        scored=quality(example.quality),
        cost=money(example.cost_usd),
        tone="router",
        came="right" if better > 0 else "wrong" if better < 0 else "",
    )
    best = Line(
        model=f"{clean(best_single, 60)} (best single)",
        expected=quality(example.expected_quality_best),
        expected_cost=money(example.expected_cost_best_usd),
        scored=quality(example.quality_best),
        cost=money(example.cost_best_usd),
        tone="best",
        came="",
    )
    return Item(
        text=clean(example.text) or "(no text)",
        place="model" if example.domain is None else f"domain: {clean(example.domain, 40)}",
        reason=f"Reason given: {clean(example.reason)}." if example.reason else "No reason was given.",
        lines=(chosen, best),
    )


def bars(found: Behaviour, best_single: str) -> list[Bar]:
    """Return the models that answer most, and the rest as one."""
    used = [row for row in found.shares if row.share > 0]
    shown = used if len(used) <= _SHOWN else used[: _SHOWN - 1]
    widest = max((row.share for row in used), default=1.0)
    rows = [
        Bar(
            name=clean(row.model, 60) + (" (best single)" if row.model == best_single else ""),
            share=share(row.share),
            width=f"{100 * row.share / widest:.2f}",
            tip=f"on all test queries: quality {quality(row.quality)}, {per_thousand(row.cost_usd)} per 1,000",
            best=row.model == best_single,
        )
        for row in shown
    ]
    rest = {f"{len(used) - len(shown)} other models": sum(row.share for row in used[len(shown) :])}
    rest["several models at once, or none"] = found.unanswered if found.unanswered > 1e-9 else 0.0  # noqa: PLR2004
    for name, part in rest.items():
        if part > 0:
            width = f"{min(100.0, 100 * part / widest):.2f}"
            rows.append(Bar(name=name, share=share(part), width=width, tip=name, best=False))
    return rows


def behaviour_text(found: Behaviour, models: int) -> str:
    """Say how the router chooses."""
    used = sum(row.share > 0 for row in found.shares)
    parts = [
        (
            f"It sends {share(found.elsewhere)} of the queries elsewhere than to the best single model, and uses {used} of "
            f"{models} models."
        )
    ]
    if found.entropy is not None and found.effective_models is not None:
        parts.append(
            f"The entropy of its choices is {found.entropy:.2f} of at most {found.most_entropy:.2f} bits, as wide as choosing "
            f"among {found.effective_models:.1f} models alike; near 0 bits it has collapsed to one model."
        )
    if found.dearest is not None and found.dearest_share is not None:
        dearest = f"{share(found.dearest_share)} go to the dearest model, {clean(found.dearest, 60)}"
        needless = (
            "."
            if found.needless_strong is None
            else f"; in {share(found.needless_strong)} of these a cheaper one was as good."
        )
        parts.append(dearest + needless)
    return " ".join(parts)
