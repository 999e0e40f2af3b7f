"""An explanation as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pointsman.evaluation.tables import as_text, simple_table
from pointsman.evaluation.wording import dollars, points

if TYPE_CHECKING:
    from rich.table import Table

    from pointsman.evaluation.explain import Explanation, Instead

__all__ = ["explanation_table", "explanation_text"]

_UNKNOWN = "–"
_OF_A_STACK = {"incumbent", "trust", "shares", "familiarity"}


def explanation_table(explanation: Explanation) -> Table:
    """Return a row per candidate: what was expected of it, or why it was left out; quality is in points."""
    table = simple_table("candidates", "model", "rank", "quality", "cost", "latency", "score", "left out because")
    for row in explanation.candidates:
        table.add_row(
            row.model,
            _UNKNOWN if row.rank is None else str(row.rank),
            _UNKNOWN if row.quality is None else points(row.quality, signed=False),
            _UNKNOWN if row.cost_usd is None else dollars(row.cost_usd),
            _UNKNOWN if row.latency_s is None else f"{row.latency_s:.2f} s",
            _UNKNOWN if row.score is None else f"{row.score:.4f}",
            row.excluded or "",
        )
    return table


def explanation_text(explanation: Explanation) -> str:
    """Return the decision, its candidates, what they rest on and the alternatives as text."""
    decision = explanation.decision
    lines = [f"{decision.model}: {decision.reason}" if decision.reason else decision.model]
    if decision.propensity < 1:
        lines.append(f"chosen with probability {decision.propensity:.3g}")
    lines += [f"could not be honoured: {note}" for note in decision.degraded]
    lines.append(as_text(explanation_table(explanation)))
    if explanation.basis:
        lines += ["", "rests on", *_basis(explanation.basis)]
    chosen = decision.model
    lines += ["", *(_sentence(other, chosen) for other in explanation.instead)]
    if explanation.passage is not None:
        lines += ["", str(explanation.passage)]
    return "\n".join(lines).rstrip()


def _sentence(other: Instead, chosen: str) -> str:
    if other.model == chosen:
        return f"{other.what}: {other.model}, the one that was chosen"
    quality = "unknown" if other.quality_difference is None else f"{points(other.quality_difference)} points"
    cost = other.cost_difference_usd
    money = "unknown" if cost is None else f"{'−' if cost < 0 else '+'}{dollars(abs(cost))}"
    return f"{other.what}: {other.model} instead would mean quality {quality}, cost {money}"


def _basis(basis: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the estimates rest on; of a stack first how its members are mixed, and how far they are believed."""
    if not {"incumbent", "trust", "shares"} <= basis.keys():
        yield from _leaves(basis)
        return
    rest = {name: value for name, value in basis.items() if name not in _OF_A_STACK}
    shares = ", ".join(f"{name} {share:.2f}" for name, share in basis["shares"].items())
    yield f"  shares: {shares}, of what each of them says of differences to {basis['incumbent']}"
    yield f"  trust: {basis['trust']:.2f} of these differences count"
    if "familiarity" in basis:
        yield f"  familiarity: {basis['familiarity']:.2f}, from 0, unlike all that was learnt from, to 1"
    yield from _leaves(rest)


def _leaves(basis: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    for key, value in basis.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}"
            yield from _leaves(value, indent + "  ")
        else:
            yield f"{indent}{key}: {_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
