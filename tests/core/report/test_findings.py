"""What a report finds: its parts are what evaluation, audit and the outcomes say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pointsman.data.readers import read
from pointsman.data.splits import grouped_split
from pointsman.errors import ConfigError
from pointsman.evaluation import evaluate
from pointsman.evaluation.resampling import Resampling
from pointsman.report import Report, build_report, measure_report
from pointsman.report.calibration import calibration
from pointsman.report.decided import decided
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.selection import audit
from pointsman.testing.toys import toy, toy_pool


def test_it_is_the_evaluation_and_the_audit(usual: Report, made: SimpleNamespace) -> None:
    """The figures are those of `evaluate` on the split of the data in canonical order, and of `audit`."""
    data = made.outcomes().canonical()
    train, validation, test = grouped_split(data)
    fitted = made.router().fit(train)
    assert usual.evaluation is not None
    assert usual.evaluation.to_dict() == evaluate(fitted, test, train=train, validation=validation, draws=100).to_dict()
    assert usual.audit.to_dict() == audit(data, draws=100).to_dict()
    assert usual.made_of is not None
    assert usual.made_of.digest == fitted.digest()
    assert usual.provenance.parts == {"training": len(train), "validation": len(validation), "test": len(test)}


def test_it_is_data_too(usual: Report) -> None:
    """`to_dict` holds everything as JSON."""
    data = json.loads(json.dumps(usual.to_dict(), allow_nan=False))
    assert data["headline"] == usual.headline
    assert {"audit", "evaluation", "learning", "domains", "calibration", "behaviour", "examples", "limits"} <= set(data)
    assert usual.headline in str(usual)


def test_the_learning_curve_ends_where_the_evaluation_stands(usual: Report) -> None:
    """Its largest size is the router itself; smaller ones are halves, fitted as often as was asked."""
    assert usual.evaluation is not None
    last = usual.learning[-1]
    assert last.aiq_gain == usual.evaluation.router.aiq_gain
    assert usual.evaluation.router.peak is not None
    assert last.quality_gain == usual.evaluation.router.peak.difference
    assert [point.rows for point in usual.learning] == [22, 45, 90]
    assert [len(point.each_aiq_gain) for point in usual.learning] == [2, 2, 1]


def test_the_domains_add_up(usual: Report) -> None:
    """Their queries are all queries, and their gains, weighted, the whole gain."""
    assert usual.evaluation is not None
    assert sum(row.queries for row in usual.domains) == usual.evaluation.queries
    own = usual.evaluation.router.own
    assert own is not None
    assert own.difference is not None
    gains = [(row.queries, row.router.difference.estimate) for row in usual.domains if row.router.difference]
    assert np.average([g for _, g in gains], weights=[n for n, _ in gains]) == pytest.approx(own.difference.estimate)


def test_the_settings_are_the_curve(usual: Report) -> None:
    """The kept settings with their intervals are the points of the router's curve, in order."""
    assert usual.evaluation is not None
    settings = [(s.cost_usd, s.quality) for s in usual.evaluation.settings]
    assert settings == [pytest.approx(point) for point in usual.evaluation.curves["router"]]
    assert all(
        s.difference is not None and s.difference.low <= s.difference.estimate for s in usual.evaluation.settings
    )


def test_examples_are_of_their_kind(usual: Report) -> None:
    """Savings are as good and cheaper, rescues better, losses worse; the counts are those of all queries elsewhere."""
    assert usual.behaviour is not None
    assert usual.evaluation is not None
    kinds = {group.kind: group for group in usual.examples}
    assert list(kinds) == ["savings", "rescues", "losses"]
    for one in kinds["savings"].shown:
        assert one.quality == one.quality_best
        assert one.cost_usd is not None
        assert one.cost_best_usd is not None
        assert one.cost_usd < one.cost_best_usd
    assert all(one.quality > one.quality_best for one in kinds["rescues"].shown)
    assert all(one.quality < one.quality_best for one in kinds["losses"].shown)
    assert sum(group.count for group in usual.examples) <= round(usual.behaviour.elsewhere * usual.evaluation.queries)
    assert all(one.model != usual.evaluation.best_single for group in usual.examples for one in group.shown)
    assert all(len({one.text for one in group.shown}) == len(group.shown) for group in usual.examples)


def test_the_shares_are_all_queries(usual: Report) -> None:
    """What the models answer adds up, in descending order."""
    assert usual.behaviour is not None
    shares = [row.share for row in usual.behaviour.shares]
    assert sum(shares) + usual.behaviour.unanswered == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_calibration_of_one_who_knows(made: SimpleNamespace) -> None:
    """Expectations that are the outcomes themselves have no error, in quality and in difference."""
    data = made.outcomes(rows=200)
    fitted = made.router().fit(data)
    found = decided(fitted, data, data.best_single)
    true = type(found.expected)(quality=found.mine.quality, cost_usd=found.mine.cost_usd)
    best = type(found.expected)(quality=found.best.quality, cost_usd=found.best.cost_usd)
    knowing = type(found)(
        test=data, best_single=found.best_single, decisions=found.decisions, mine=found.mine, best=found.best,
        expected=true, expected_best=best,
    )  # fmt: skip
    resampling = Resampling(group=data.group_of, draws=100, random_state=0)
    perfect = calibration(knowing, resampling, level=0.95)
    assert perfect.quality is not None
    assert perfect.contrast is not None
    assert (perfect.quality.ece, perfect.quality.brier, perfect.contrast.ece) == (0, 0, 0)
    real = calibration(found, resampling, level=0.95).quality
    assert real is not None
    assert real.ece > 0
    assert sum(held.count for held in real.bins) == real.queries == len(data)


def test_a_fitted_router_is_measured_on_everything(made: SimpleNamespace) -> None:
    """A saved router is not fitted again: all queries are test queries, and there is no learning curve."""
    data = made.outcomes()
    fitted = made.router().fit(data.take(range(90)))
    before = fitted.digest()
    found = measure_report(fitted, data.take(range(90, 150)), draws=100)
    assert found.evaluation is not None
    assert found.evaluation.queries == 60
    assert found.learning == ()
    assert "learning" in found.missing
    assert any("chosen on the test data" in limit for limit in found.limits)
    assert fitted.digest() == before


def test_the_router_given_stays_unfitted(made: SimpleNamespace) -> None:
    """`build_report` fits copies."""
    given = made.router()
    build_report(given, made.outcomes(rows=60), draws=100, repeats=0)
    assert given.state_ is None


@pytest.mark.usefixtures("drawable")
def test_a_router_without_anything_to_learn_is_measured() -> None:
    """Rules are reported on like any other router, without a learning curve."""
    found = build_report(RulesRouter(pool=toy_pool(), default="large"), toy(), draws=100)
    assert found.evaluation is not None
    assert "nothing to learn" in found.missing["learning"]
    assert "RulesRouter" in found.html()


@pytest.mark.usefixtures("drawable")
def test_findings_are_shown_where_a_router_has_some(made: SimpleNamespace) -> None:
    """What a router says itself of what it chose and why stands on the page, as text and as data."""

    @dataclass
    class Findings:
        chosen: str

        def to_dict(self) -> dict[str, Any]:
            return {"chosen": self.chosen}

        def __str__(self) -> str:
            return f"Took {self.chosen}\nbecause it won <b>."

    class Telling(EstimatedRouter):
        """A router with findings."""

        def findings(self) -> Findings:
            return Findings("Nearest")

    usual = made.router()
    found = build_report(Telling(**usual.params()), made.outcomes(rows=60), draws=100, repeats=0)
    assert found.made_of is not None
    assert found.made_of.found == {"chosen": "Nearest"}
    assert "Took Nearest\nbecause it won &lt;b&gt;." in found.html()


@pytest.mark.parametrize(("steps", "repeats"), [(0, 1), (1, -1)])
def test_impossible_sizes_are_refused(steps: int, repeats: int, made: SimpleNamespace) -> None:
    """The message names both numbers."""
    with pytest.raises(ConfigError, match=f"{steps} and {repeats}"):
        build_report(made.router(), made.outcomes(), steps=steps, repeats=repeats)


def test_limits_are_what_the_data_call_for(usual: Report, made: SimpleNamespace) -> None:
    """Missing costs, domains and runs are told where they are missing, and only there."""
    without = made.report_of(made.outcomes(priced=False, labelled=False), priced=False, repeats=0)
    said, usually = " ".join(without.limits), " ".join(usual.limits)
    assert "No cost is known" in said
    assert "No domains are given" in said
    assert "No cost is known" not in usually
    assert "No domains are given" not in usually
    assert "single run" in usually


@pytest.mark.usefixtures("drawable")
def test_real_outcomes_make_a_report(outcome_data: Path, made: SimpleNamespace) -> None:
    """On real questions everything has its place, within the page's promises."""
    data = read(outcome_data / "llmrouter_nim")
    some = data.take(np.random.default_rng(0).permutation(len(data))[:500])
    found = made.report_of(some)
    page = found.html()
    assert found.evaluation is not None
    assert all(group.shown for group in found.examples)
    assert len(found.domains) > 5
    assert "<script" not in page
