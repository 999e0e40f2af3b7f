"""The report's page: every part of a report in its place."""

from __future__ import annotations

import json
from typing import Any

from pointsman.evaluation.protocols import Calibration, Diagnosis, LearningCurve
from pointsman.evaluation.report import Evaluation
from pointsman.report.page.decisions import bars, behaviour_text, example_groups
from pointsman.report.page.escalating import escalated_cells, escalation_caption
from pointsman.report.page.glossary import GLOSSARY
from pointsman.report.page.growth import growth
from pointsman.report.page.made import made
from pointsman.report.page.plane import plane
from pointsman.report.page.rows import baseline_rows, domain_cells, single_rows
from pointsman.report.page.template import check_extra, filled_in, picture
from pointsman.report.page.tiles import tiles
from pointsman.report.page.trust import trust
from pointsman.report.page.words import clean, ends, quality, share
from pointsman.report.report import Report
from pointsman.report.verdict import tone

__all__ = ["plane_caption", "report_page"]

_CONTENTS = (
    ("plane", "Quality over cost"),
    ("learning", "More data"),
    ("domains", "Domains"),
    ("calibration", "Calibration"),
    ("behaviour", "Choices"),
    ("escalation", "Escalation"),
    ("examples", "Examples"),
    ("made", "Parts"),
    ("limits", "Limits"),
    ("reading", "How to read"),
    ("provenance", "Provenance"),
)
_ALWAYS = {"limits", "reading", "provenance"}
_LONG = 5000
_UNNAMED = "not named"


def report_page(report: Report) -> str:
    """Return a report as one HTML page."""
    check_extra()
    evaluation, facts = report.evaluation, report.provenance
    content: dict[str, Any] = {
        "title": f"{report.headline} – routing report",
        "headline": report.headline,
        "tone": tone(evaluation),
        "verdict": None if evaluation is None else clean(evaluation.verdict.text, _LONG),
        "advice": clean(report.audit.advice.text, _LONG),
        "missing": report.missing,
        "tiles": tiles(report),
        "contents": [
            entry
            for entry in _CONTENTS
            if (evaluation is not None or entry[0] in _ALWAYS)
            and (report.escalation is not None or entry[0] != "escalation")
        ],
        "facts": {
            "source": None if facts.source is None else clean(facts.source, 80),
            "size": f"{facts.queries:,} queries × {facts.models} models",
        },
        "limits": [clean(limit, _LONG) for limit in report.limits],
        "glossary": GLOSSARY,
        "provenance": _provenance(report),
        "measured": evaluation is not None,
        "spec": None if report.made_of is None else json.dumps(report.made_of.spec, indent=2, ensure_ascii=True),
    }
    if evaluation is not None:
        content |= _measured(report, evaluation)
    return filled_in("report.html.j2", **content)


def _measured(report: Report, evaluation: Evaluation) -> dict[str, Any]:
    """Return what there is to show of a router that was measured."""
    drawn, best = plane({"router": evaluation}), evaluation.best_single
    diagnosed, behaves, climbed = report.diagnosis, report.behaviour, report.escalation
    accepted = None if climbed is None else climbed.accepted
    return {
        "plane": picture(drawn),
        "plane_caption": plane_caption(evaluation),
        "methods": baseline_rows(evaluation),
        "singles": single_rows(evaluation),
        "growth": None if report.learning is None else picture(growth(report.learning)),
        "growth_caption": "" if report.learning is None else _growth_caption(report.learning),
        "domains": domain_cells(report.domains, best),
        "domains_caption": f"Each domain of the test queries, the largest first; the best single model is {clean(best, 60)} "
        "everywhere. Many rows are looked at here, so one in twenty intervals misses by chance.",
        "trust": None if diagnosed is None else picture(trust(diagnosed, accepted)),
        "trust_caption": "" if diagnosed is None else _trust_caption(diagnosed, accepted),
        "escalated": [] if climbed is None else escalated_cells(climbed),
        "escalation_caption": escalation_caption(best),
        "behaviour_text": "" if behaves is None else behaviour_text(behaves, len(evaluation.models)),
        "shares": [] if behaves is None else bars(behaves, best),
        "examples": example_groups(report.examples, best),
        "made": None if report.made_of is None else made(report.made_of),
    }


def plane_caption(evaluation: Evaluation) -> str:
    """Say how the plane is to be read."""
    chosen = "chosen on validation data" if evaluation.router.peak is not None else "all of them, none chosen"
    level = f"{100 * evaluation.level:g} %"
    return (
        f"Up is better, left is cheaper. A line joins what a router reaches at its settings, {chosen}; the large dot is "
        f"the router as it is set. The dashed line mixes single models blindly (Zero router), the dotted one looks the given "
        f"domain up. Band and bars are {level} intervals of the difference to {clean(evaluation.best_single, 60)} on the same "
        f"queries: what lies wholly above its dot is better than it, and not by chance."
    )


def _growth_caption(found: LearningCurve) -> str:
    pays = (
        "At no size is the second shown to be above 0 from there on."
        if found.pays_from is None
        else f"The second is shown to be above 0 from {found.pays_from:,} queries on."
    )
    return (
        f"What the same recipe gains when it learns from fewer queries, three quarters of them to fit on, a quarter to choose "
        f"settings on, where quality comes first. Small dots are {found.repeats} splits of the data, each with about "
        f"{found.test_queries:,.0f} test queries of its own; the line is their mean, the band its {100 * found.level:g} % "
        f"interval over splits. {pays} A line that still rises says that more data would help."
    )


def _trust_caption(found: Diagnosis, accepted: Calibration | None) -> str:
    parts = ["On the dashed line, what was expected comes true on average; bars are intervals."]
    if accepted is not None:
        told = "Expected is the probability, told when the answer was accepted, that it is right."
        return " ".join([*parts, _calibrated("Accepted answers", accepted), told])
    parts += [
        _calibrated(name, part)
        for name, part in (("Quality", found.chosen), ("Difference", found.elsewhere))
        if part is not None
    ]
    if found.coverage is not None:
        parts.append(
            f"The router also says how sure it is: the {100 * found.level:g} % intervals of its draws hold the mean quality of "
            f"{share(found.coverage.estimate)} of groups of like queries ({ends(found.coverage, as_share=True)})."
        )
    return " ".join([*parts, "Choices rest on differences between models, so the second diagram matters more."])


def _calibrated(name: str, part: Calibration) -> str:
    brier = "" if part.brier is None else f", Brier score {part.brier:.3f}"
    said = f"{name}: expected calibration error {quality(part.error)} points{brier} on {part.pairs:,} queries"
    if part.bias is None:
        return f"{said}."
    hopes = "too much" if part.bias.estimate > 0 else "too little"
    return f"{said}; on average it expects {quality(abs(part.bias.estimate))} points {hopes} ({ends(part.bias)})."


def _provenance(report: Report) -> list[tuple[str, str]]:
    facts, consists = report.provenance, report.made_of
    parts = ", ".join(f"{count:,} {name}" for name, count in facts.parts.items())
    rows = [
        ("data", _UNNAMED if facts.source is None else clean(facts.source, 200)),
        ("rows", f"{facts.queries:,} queries ({facts.groups:,} different ones) × {facts.models} models"),
        ("digest of the data", facts.data_digest),
        ("split", f"{parts} queries; rows of one group stay together"),
        ("seed", f"{facts.random_state}; intervals from {facts.draws:,} bootstrap resamples of the queries"),
    ]
    if consists is not None:
        rows += [("router", consists.name), ("digest of the router", consists.digest)]
    return [*rows, ("version", f"pointsman {facts.version or 'of unknown version'}")]
