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
from pointsman.evaluation.protocols import diagnose, learning_curve
from pointsman.report import Report, build_report, measure_report
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.selection import audit
from pointsman.selection.auto import AutoRouter
from pointsman.selection.choosing.findings import Findings
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
    assert {"audit", "evaluation", "learning", "domains", "diagnosis", "behaviour", "examples", "limits"} <= set(data)
    assert usual.headline in str(usual)


def test_the_learning_curve_is_the_protocols(usual: Report, made: SimpleNamespace) -> None:
    """Its sizes are all that is not held out and halves of it, down to twenty; its figures those of the protocol."""
    found = learning_curve(made.router(), made.outcomes(), sizes=[150, 60, 30], repeats=2)
    assert usual.learning == found
    assert [point.queries for point in found.points] == [30, 60, 120]


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


def test_its_expectations_are_held_against_outcomes(usual: Report, made: SimpleNamespace) -> None:
    """The diagnosis is the protocol's, of the same parts, with bins that hold all test queries."""
    train, validation, test = grouped_split(made.outcomes().canonical())
    found = diagnose(made.router().fit(train), test, train=train, validation=validation, draws=100)
    assert usual.diagnosis == found
    assert found.chosen is not None
    assert sum(held.count for held in found.chosen.bins) == found.chosen.pairs == len(test)


def test_a_fitted_router_is_measured_on_everything(made: SimpleNamespace) -> None:
    """A saved router is not fitted again: all queries are test queries, and there is no learning curve."""
    data = made.outcomes()
    fitted = made.router().fit(data.take(range(90)))
    before = fitted.digest()
    found = measure_report(fitted, data.take(range(90, 150)), draws=100)
    assert found.evaluation is not None
    assert found.evaluation.queries == 60
    assert found.learning is None
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


@pytest.mark.usefixtures("drawable")
def test_an_auto_router_tells_what_it_is_made_of(made: SimpleNamespace) -> None:
    """Verdict, trust, members, models left out and what was tried stand on the page; coverage where draws are."""
    found = build_report(AutoRouter.examples()[0], made.outcomes(rows=200), draws=100, repeats=0)
    assert found.made_of is not None
    findings = found.made_of.found
    assert isinstance(findings, Findings)
    page = " ".join(found.html().split())
    assert findings.verdict in page
    assert f"{findings.slope:.2f} times as large as those predicted" in page
    assert all(f"<span>{row.name}</span>" in page for row in findings.tried)
    assert all(f"{name} (by {by})" in page for name, by in findings.pruned.items())
    assert found.diagnosis is not None
    assert found.diagnosis.coverage is not None
    assert "intervals of its draws hold" in page


@pytest.mark.parametrize(("steps", "repeats"), [(0, 2), (1, -1), (1, 1)])
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
