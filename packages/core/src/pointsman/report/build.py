"""Building a report: the split, the fit, and every piece of work behind the page, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation import evaluate
from pointsman.evaluation.protocols import LearningCurve, diagnose, fitted_on, learning_curve
from pointsman.evaluation.protocols.trial import Bootstrap
from pointsman.evaluation.report import Evaluation
from pointsman.report.behaviour import behaviour
from pointsman.report.composition import composition
from pointsman.report.decided import decided
from pointsman.report.domains import domain_rows
from pointsman.report.escalation import escalation
from pointsman.report.examples import examples
from pointsman.report.limits import limits
from pointsman.report.provenance import Provenance, data_digest, version
from pointsman.report.report import Report
from pointsman.report.settings import Progress, Settings
from pointsman.routers.base import Router
from pointsman.selection.audit import audit

__all__ = ["FEWEST", "build_report", "measure_report"]

FEWEST = 20
"""Groups of queries below which no router is fitted for a report."""

Parts = Mapping[str, RoutingDataset]  # "training" and "validation", where there are any, and "test"


@runtime_checkable
class _Learns(Protocol):
    def fit(self, dataset: RoutingDataset) -> Any: ...


def build_report(
    router: Router,
    dataset: RoutingDataset,
    *,
    source: str | None = None,
    margin: float = 0.01,
    level: float = 0.95,
    draws: int = 1000,
    steps: int = 5,
    repeats: int = 3,
    random_state: int = 0,
    on_progress: Progress = lambda _: None,
) -> Report:
    """Fit a copy of a router on 60 % of a dataset, choose its settings on 20 %, and report what it does on the last 20 %.

    Args:
        router: An unfitted router; it stays as it is. One that has nothing to learn is measured as it is.
        dataset: Outcomes; rows of one group stay together. The order of rows and models makes no difference.
        source: What the data are called.
        margin: Quality that may be lost and still counts as equal.
        level: Coverage of the intervals.
        draws: Bootstrap resamples.
        steps: Sizes of the learning curve at most, each half of the next.
        repeats: Splits that the learning curve is averaged over, at least 2; 0 leaves it out.
        random_state: Seed of the split, of the resampling and of the learning curve's rows.
        on_progress: Told what is being done, as text.

    With under 20 different queries nothing is fitted: the report is the audit's, and says so.

    Raises:
        ConfigError: When a number is out of range, or a parameter of the router does not suit the data.
        DataError: When there is no outcome at all.
    """
    if steps < 1 or repeats < 0 or repeats == 1:
        raise ConfigError(
            f"build_report: steps must be at least 1 and repeats must be 0 or at least 2, got {steps} and {repeats}."
        )
    data, bootstrap = dataset.canonical(), Bootstrap(level=level, draws=draws, random_state=random_state)
    settings = Settings(margin=margin, bootstrap=bootstrap, source=source, on_progress=on_progress)
    groups = int(data.group_of.max(initial=-1)) + 1
    if groups < FEWEST:
        few = f"{groups} different queries are too few to fit and measure a router; it takes at least {FEWEST}."
        return _report(None, data, {"test": data}, settings, {"router": few})
    train, validation, test = grouped_split(data, random_state=random_state)
    parts = {"training": train, "validation": validation, "test": test}
    if not isinstance(router, _Learns):
        why = {"learning": f"{type(router).__name__} has nothing to learn, so there is no learning curve."}
        return _report(router, data, parts, settings, why)
    on_progress(f"Fitting on {len(train):,} queries")
    fitted = fitted_on(router, train)
    learning, missing = _learning(router, data, settings, steps=steps, repeats=repeats)
    return _report(fitted, data, parts, settings, missing, learning)


def measure_report(
    router: Router,
    dataset: RoutingDataset,
    *,
    source: str | None = None,
    margin: float = 0.01,
    level: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
    on_progress: Progress = lambda _: None,
) -> Report:
    """Report what a fitted router does on all of a dataset that it has not seen; see `build_report` for the arguments."""
    data, bootstrap = dataset.canonical(), Bootstrap(level=level, draws=draws, random_state=random_state)
    settings = Settings(margin=margin, bootstrap=bootstrap, source=source, on_progress=on_progress)
    missing = {"learning": "The router was fitted before, so what it would gain from fewer rows is unknown."}
    return _report(router, data, {"test": data}, settings, missing)


def _learning(
    router: Router, data: RoutingDataset, settings: Settings, *, steps: int, repeats: int
) -> tuple[LearningCurve | None, dict[str, str]]:
    """Return the learning curve from all queries but a fifth down to halves of halves, or why there is none."""
    if not repeats:
        return None, {"learning": "No learning curve was asked for."}
    halves = (4 * len(data) // 5 // 2**i for i in range(1, steps))
    sizes = [len(data), *(size for size in halves if size >= FEWEST)]
    settings.on_progress(f"Learning curve: fitting on {len(sizes)} sizes of the data, {repeats} times each")
    drawn = settings.bootstrap
    try:
        found = learning_curve(
            router, data, sizes=sizes, repeats=repeats, level=drawn.level, random_state=drawn.random_state
        )
    except DataError as error:
        return None, {"learning": f"There is no learning curve: {error}"}
    return found, {}


def _report(
    router: Router | None,
    data: RoutingDataset,
    parts: Parts,
    settings: Settings,
    missing: dict[str, str],
    learning: LearningCurve | None = None,
) -> Report:
    """Do the work and put it together."""
    settings.on_progress("Auditing the outcomes")
    audited = audit(data, margin=settings.margin, **settings.of_intervals)
    found: dict[str, Any] = dict.fromkeys(("evaluation", "diagnosis", "behaviour", "escalation", "made_of"))
    found |= {"domains": (), "examples": ()}
    if router is not None:
        found |= _measured(router, parts, settings)
        missing = missing | _gaps(found)
    evaluation: Evaluation | None = found["evaluation"]
    return Report(
        audit=audited,
        learning=learning,
        limits=limits(data, audited, evaluation),
        missing=missing,
        provenance=Provenance(
            source=settings.source,
            queries=len(data),
            groups=int(data.group_of.max(initial=-1)) + 1,
            models=len(data.models),
            data_digest=data_digest(data),
            parts={name: len(part) for name, part in parts.items()},
            random_state=settings.bootstrap.random_state,
            draws=settings.bootstrap.draws,
            version=version(),
        ),
        **found,
    )


def _measured(router: Router, parts: Parts, settings: Settings) -> dict[str, Any]:
    """Evaluate a fitted router, and look into its decisions."""
    test, train, level = parts["test"], parts.get("training"), settings.bootstrap.level
    known = {"train": train, "validation": parts.get("validation"), **settings.of_intervals}
    settings.on_progress(f"Measuring on {len(test):,} queries")
    evaluation = evaluate(router, test, margin=settings.margin, **known)
    settings.on_progress("Looking into single decisions")
    choices = decided(router, test, evaluation.best_single)
    return {
        "evaluation": evaluation,
        "domains": domain_rows(choices, train, settings.bootstrap.over(test), level=level),
        "diagnosis": diagnose(router, test, **known),
        "behaviour": behaviour(evaluation, choices),
        "escalation": escalation(router, test, evaluation.best_single, settings.bootstrap.over(test), level),
        "examples": examples(choices),
        "made_of": composition(router),
    }


def _gaps(found: dict[str, Any]) -> dict[str, str]:
    """Say why a part that needs something of the data is not there."""
    gaps = {}
    if not found["domains"]:
        gaps["domains"] = (
            "The test queries name fewer than two domains; a column `domain` would split the figures by it."
        )
    diagnosed = found["diagnosis"]
    if diagnosed.chosen is None:
        gaps["calibration"] = "Fewer than ten test queries have both an expected and a known quality."
    if diagnosed.elsewhere is None:
        gaps["contrast"] = "Fewer than ten test queries were sent elsewhere than to the best single model, both known."
    return gaps
