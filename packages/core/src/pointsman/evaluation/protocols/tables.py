"""Tables: what a protocol found, as a terminal shows it; quality and AIQ are in points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pointsman.evaluation.tables import as_text, interval_cell, simple_table
from pointsman.evaluation.wording import percent, points

if TYPE_CHECKING:
    from pointsman.evaluation.paired import Comparison
    from pointsman.evaluation.protocols.calibration import Calibration
    from pointsman.evaluation.protocols.controls import Controls
    from pointsman.evaluation.protocols.diagnostics import Diagnosis
    from pointsman.evaluation.protocols.label_noise import LabelNoise
    from pointsman.evaluation.protocols.learning_curve import LearningCurve
    from pointsman.evaluation.protocols.leave_one_domain_out import DomainShift
    from pointsman.evaluation.protocols.leave_one_model_out import PoolChange
    from pointsman.evaluation.protocols.perturbations import Perturbations
    from pointsman.metrics import Interval

__all__ = [
    "controls_text",
    "diagnosis_text",
    "domains_text",
    "learning_text",
    "models_text",
    "noise_text",
    "perturbations_text",
]

_UNKNOWN = "–"


def domains_text(found: DomainShift) -> str:
    """Return a row per held-out domain, and the two pooled ones."""
    columns = (
        "held-out domain",
        "queries",
        "vs best single",
        "× best",
        "AIQ − zero router",
        "as good as best: Δ, × best",
    )
    rows = [
        [d.domain, f"{d.queries:,}", interval_cell(d.own.difference), _ratio(d.own.relative_cost, 2),
         interval_cell(d.aiq_gain), _setting(d.at_best)]
        for d in found.domains
    ]  # fmt: skip
    rows += [
        ["all, over queries", f"{sum(d.queries for d in found.domains):,}", interval_cell(found.difference), "",
         interval_cell(found.aiq_gain), ""],
        ["all, over domains", "", interval_cell(found.difference_over_domains), _ratio(found.relative_cost, 2),
         interval_cell(found.aiq_gain_over_domains), ""],
    ]  # fmt: skip
    lines = [_table("Leave one domain out", columns, rows)]
    if found.unlabelled:
        lines.append(f"Note: {found.unlabelled} queries have no domain and are left out.")
    lines += [f"Note: {d.domain}: without outcomes of {', '.join(d.left_out)}." for d in found.domains if d.left_out]
    return "\n".join(lines)


def models_text(found: PoolChange) -> str:
    """Return a row per held-out model, and the mean ratio over models."""
    counts = list(found.ratio)
    columns = (
        "held-out model",
        "AIQ it is worth",
        "quality it is worth",
        "AIQ, without / all",
        *(f"AIQ, {k} probes / all" for k in counts),
    )
    rows = [
        [
            m.model,
            interval_cell(m.aiq_loss),
            interval_cell(m.quality_loss),
            _UNKNOWN if m.aiq_without is None or not found.aiq else f"{m.aiq_without / found.aiq:.3f}",
            *(_ratio(p.ratio) for p in m.probed),
        ]
        for m in found.models
    ]
    rows.append(["mean over models", "", "", "", *(_ratio(found.ratio[k]) for k in counts)])
    aiq = _UNKNOWN if found.aiq is None else points(found.aiq, signed=False)
    return _table(f"Leave one model out, {found.queries:,} test queries, AIQ of the whole pool {aiq}", columns, rows)


def learning_text(found: LearningCurve) -> str:
    """Return a row per size."""
    rows = [
        [f"{p.queries:,}", interval_cell(p.difference), _ratio(p.relative_cost, 2), interval_cell(p.aiq_gain)]
        for p in found.points
    ]
    title = f"Learning curve, {found.repeats} repeats, {found.test_queries:,.0f} test queries each"
    pays = found.pays_from
    last = "at no size" if pays is None else f"from {pays:,} queries on"
    columns = ("queries learnt from", "vs best single", "× best", "AIQ − zero router")
    return f"{_table(title, columns, rows)}\nAn AIQ gain is shown {last}."


def noise_text(found: LabelNoise) -> str:
    """Return a row per share of outcomes turned round, and per way to run again."""
    rows = [
        [f"{100 * n.share:g} % of outcomes turned round", _share(n.flips), interval_cell(n.quality_change),
         _UNKNOWN if n.aiq_gain is None else points(n.aiq_gain)]
        for n in found.simulated
    ]  # fmt: skip
    rows += [
        [f"drawn again, runs {r.runs}", _share(r.flips), interval_cell(r.quality_change), interval_cell(r.aiq_gains)]
        for r in found.reruns
    ]
    title = f"Label noise, {found.repeats} fits each, {found.queries:,} test queries"
    lines = [
        _table(title, ("training outcomes", "decisions changed", "quality", "AIQ − zero router"), rows),
        f"As they are, the AIQ gain is {interval_cell(found.aiq_gain)}.",
    ]
    if not found.reruns:
        lines.append("Note: no cell was run several times, so real run noise cannot be shown.")
    return "\n".join(lines)


def controls_text(found: Controls) -> str:
    """Return a row per kind of data, and what it comes to."""
    rows = [
        [c.name, interval_cell(c.aiq_gain), interval_cell(c.difference)]
        for c in (found.real, found.shuffled, found.random)
    ]
    said = (
        "A control shows a gain: something leaks from the test into the fit."
        if found.leaks
        else "No control shows a gain, as it must be."
    )
    title = f"Controls, {found.repeats} splits"
    return f"{_table(title, ('outcomes and queries', 'AIQ − zero router', 'vs best single'), rows)}\n{said}"


def perturbations_text(found: Perturbations) -> str:
    """Return a row per edit, and one per attack with its remedies."""
    dear = f"{percent(found.dear_share)} go to {', '.join(found.dear)}, the dearest" if found.dear else "none is dearer"
    usual = f"{found.queries:,} test queries, {dear}"
    lines = [_edits(found, f"Edits, {usual}"), "", _attacks(found)]
    lines += [f"{a.name}: {a.text!r}" for a in found.attacks if "searched" in a.kind]
    lines.append(f"The ration leaves {percent(found.ration)} of calls to the dearest.")
    if found.max_cost_usd is not None and found.quality is not None and found.quality_capped is not None:
        change, cap = points(found.quality_capped - found.quality), f"${found.max_cost_usd:.3g}"
        lines.append(f"The cap is {cap} of expected cost; without an attack it changes quality by {change}.")
    return "\n".join(lines)


def _edits(found: Perturbations, title: str) -> str:
    rows = [
        [
            e.name,
            percent(e.changed),
            _share(e.flips),
            interval_cell(e.quality_change),
            _number(e.relative_cost),
            percent(e.dear_share),
        ]
        for e in found.edits
    ]
    rows.append(["all edits", "", _share(found.edit_flips), "", "", ""])
    return _table(title, ("edit", "texts changed", "decisions changed", "quality", "× cost", "dear"), rows)


def _attacks(found: Perturbations) -> str:
    rows = [
        [
            a.name,
            _share(a.flips),
            interval_cell(a.quality_change),
            _number(a.relative_cost),
            percent(a.dear_share),
            _percent(a.dear_share_capped),
            _percent(a.dear_share_rationed),
            interval_cell(a.quality_change_rationed),
        ]
        for a in found.attacks
    ]
    columns = ("attack", "decisions changed", "quality", "× cost", "dear", "capped", "rationed", "quality, rationed")
    return _table("Attacks", columns, rows)


def diagnosis_text(found: Diagnosis) -> str:
    """Return how the router chooses at each point, and how its expectations came true."""
    rows = [
        [f"{p.point:.3g}", _points(p.quality), _thousand(p.cost_usd), _number(p.entropy), _percent(p.dearest_share),
         _percent(p.needless_strong)]
        for p in found.points
    ]  # fmt: skip
    own = f"entropy {_number(found.entropy)} of {found.most_entropy:.2f} bits, dearest {_percent(found.dearest_share)}"
    lines = [
        f"Choices on {found.queries:,} test queries: {own}, needless {_percent(found.needless_strong)}.",
        *(
            f"  {name} {percent(part)}"
            for name, part in sorted(found.shares.items(), key=lambda s: (-s[1], s[0]))
            if part
        ),
    ]
    if rows:
        columns = ("operating point", "quality", "cost $/1k", "entropy", "dearest", "needless")
        lines += ["", _table("Choices at each operating point", columns, rows)]
    kinds = (
        ("quality, all models", found.expected),
        ("quality, chosen model", found.chosen),
        ("difference to the best single", found.contrasts),
        ("the same, chosen model, where another", found.elsewhere),
    )
    known = [[name, *_calibration(c)] for name, c in kinds if c is not None]
    if known:
        lines += ["", _table("Expected minus observed", ("what is expected", "bias", "error by bins", "slope"), known)]
    if found.coverage is not None:
        lines.append(f"Intervals at {percent(found.level)} cover {_share(found.coverage)} of bins of queries.")
    return "\n".join(lines)


def _calibration(found: Calibration) -> list[str]:
    return [interval_cell(found.bias), points(found.error, signed=False), _number(found.slope)]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = simple_table(title, *columns)
    for row in rows:
        table.add_row(*row)
    return as_text(table)


def _setting(found: Comparison | None) -> str:
    if found is None:
        return _UNKNOWN
    cost = _UNKNOWN if found.relative_cost is None else f"{found.relative_cost.estimate:.2f}"
    return f"{interval_cell(found.difference)}, {cost}"


def _ratio(found: Interval | None, digits: int = 3) -> str:
    if found is None:
        return _UNKNOWN
    return f"{found.estimate:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]".replace("-", "−")


def _share(found: Interval | None) -> str:
    if found is None:
        return _UNKNOWN
    return f"{100 * found.estimate:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.2f}"


def _percent(share: float | None) -> str:
    return _UNKNOWN if share is None else percent(share)


def _points(value: float | None) -> str:
    return _UNKNOWN if value is None else points(value, signed=False)


def _thousand(usd: float | None) -> str:
    return _UNKNOWN if usd is None else f"{1000 * usd:.3g}"
