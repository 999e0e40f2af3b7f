"""What an audit advises once it has about as many queries as it asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.evaluation.paired import Comparison
from pointsman.metrics import Interval
from pointsman.selection.auditing.advice import Evidence, advise
from pointsman.selection.auditing.standings import Standing
from pointsman.selection.auditing.trial import Trial


def between(low: float, high: float, estimate: float | None = None) -> Interval:
    """Make an interval."""
    return Interval(estimate=(low + high) / 2 if estimate is None else estimate, low=low, high=high, level=0.95)


def standing(model: str) -> Standing:
    """Make a model like any other."""
    return Standing(
        model=model,
        quality=between(0.4, 0.6),
        cost_usd=1.0,
        chance_best=0.5,
        alone=0.1,
        dominated_by=None,
        observed=1.0,
    )


def evidence(queries: int, gain: Interval, hindsight: float = 0.01) -> Evidence:
    """Make the evidence of one trial that costs as much again, needs 1000 queries, and gains this much."""
    double = between(1.9, 2.1)
    first = Comparison(quality=0.5, cost_usd=2.0, difference=gain, relative_cost=double)
    beside = Comparison(quality=0.5, cost_usd=2.0, difference=between(-0.1, 0.1, hindsight), relative_cost=double)
    return Evidence(
        queries=queries,
        standings=(standing("m0"), standing("m1")),
        ceiling=None,
        swap=None,
        trials=(
            Trial(
                name="text",
                first=first,
                frugal=None,
                first_in_hindsight=beside,
                frugal_in_hindsight=None,
                needed=between(500, 2000, 1000),
            ),
        ),
        needed=None,
        margin=0.05,
        worthwhile=0.1,
    )


def test_what_was_asked_for_settles_it() -> None:
    """With a little less than the number that was needed, no more are asked for; with much less, what is missing is."""
    undecided = between(-0.02, 0.06)
    assert advise(evidence(810, undecided)).kind == "single"
    more = advise(evidence(700, undecided))
    assert (more.kind, more.more) == ("more data", 300)


def test_a_shown_gain_that_may_be_the_margin_is_not_called_none() -> None:
    """Where enough queries show a gain, though of less than the margin by luck perhaps, "always m0" would be wrong."""
    found = advise(evidence(1000, between(0.01, 0.08)))
    assert found.kind == "router"
    assert "is better than always m0" in found.text
    assert advise(evidence(500, between(0.01, 0.08))).kind == "more data"


@pytest.mark.parametrize(("gain", "hindsight"), [(between(0.01, 0.04), 0.01), (between(0.01, 0.08), -0.01)])
def test_a_gain_below_the_margin_or_of_luck_is_none(gain: Interval, hindsight: float) -> None:
    """What is shown to be less than the margin, or is gone beside the model that came out best, is not worth a router."""
    assert advise(evidence(1000, gain, hindsight)).kind == "single"


def test_a_saving_that_is_not_settled_is_not_denied() -> None:
    """Queries that are enough for the quality may be too few for the cost, and the advice then says so."""
    found = evidence(1000, between(-0.02, 0.04))
    unsure = Comparison(quality=0.5, cost_usd=0.9, difference=between(-0.04, 0.08), relative_cost=between(0.7, 1.1))
    trials = (replace(found.trials[0], frugal=unsure, frugal_in_hindsight=unsure),)
    text = advise(replace(found, trials=trials)).text
    assert "whether one saves 10 % is not settled (95 % interval −10 % to 30 %)" in text
    assert "settled" not in advise(found).text
