"""Choices: a policy picks an allowed model, alone by the estimates of that query, and its draws are the ones it is given."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import UnknownCostError
from pointsman.estimators.base import Estimates
from pointsman.policies.base import Choice, Policy
from pointsman.testing.alterations import tied
from pointsman.testing.cases import PolicyCase, blurred, only
from pointsman.testing.expecting import expect_same
from pointsman.testing.toys import toy

__all__ = [
    "check_choices_are_allowed",
    "check_choices_carry_propensities",
    "check_draws_match_propensities",
    "check_estimates_are_left_alone",
    "check_left_out_models_do_not_count",
    "check_rows_are_chosen_alone",
    "check_scores_are_known",
    "check_single_allowed_models_are_chosen",
    "check_tied_estimates_go_to_the_cheapest",
    "check_tied_unknown_costs_are_not_free",
    "check_unknown_latencies_are_not_short",
]

_GRID = 1_000


def _estimates() -> Estimates:
    return blurred(toy())


def _choose(policy: Policy, found: Estimates, allowed: NDArray[np.bool_] | None = None) -> Choice:
    n = len(found)
    return policy.choose(found, allowed=allowed, uniforms=lambda: (np.arange(n) + 0.5) / n)


def check_choices_are_allowed(case: PolicyCase) -> None:
    """Only an allowed model is chosen."""
    found = _estimates()
    allowed: NDArray[np.bool_] = np.indices(found.quality.shape).sum(axis=0) % 3 > 0
    model = _choose(case.fitted, found, allowed).model
    assert allowed[np.arange(len(found)), model].all(), "a model that is not allowed was chosen"


def check_single_allowed_models_are_chosen(case: PolicyCase) -> None:
    """Where one model is allowed, it is chosen, with propensity 1."""
    found = _estimates()
    for column in range(len(found.models)):
        choice = _choose(case.fitted, found, np.tile(np.arange(len(found.models)) == column, (len(found), 1)))
        assert (choice.model == column).all(), "another model than the only one allowed was chosen"
        assert (choice.propensity == 1).all(), f"the only choice has propensity {choice.propensity.min()}"


def check_left_out_models_do_not_count(case: PolicyCase) -> None:
    """What is expected of a model that is not allowed cannot sway the choice among the others."""
    found, n = _estimates(), len(_estimates())
    for column in range(len(found.models)):
        out = np.tile(np.arange(len(found.models)) == column, (n, 1))
        expected = _choose(case.fitted, found, ~out).model.tolist()
        for quality, cost in ((1.0, 1e-9), (0.0, 100.0), (1.0, np.nan)):
            changed = replace(
                found, quality=np.where(out, quality, found.quality), cost_usd=np.where(out, cost, found.cost_usd)
            )
            expect_same(_choose(case.fitted, changed, ~out).model.tolist(), expected, "a left-out model counts")


def check_unknown_latencies_are_not_short(case: PolicyCase) -> None:
    """A model of unknown latency, no better and a little dearer, is not chosen for its latency."""
    found = _estimates()
    first = np.tile(np.arange(len(found.models)) == 0, (len(found), 1))
    dearer = replace(found, quality=np.full(first.shape, 0.5), cost_usd=np.where(first, 2e-4, 1e-4), latency_s=None)
    without = _choose(case.fitted, dearer).model
    unknown = _choose(case.fitted, replace(dearer, latency_s=np.where(first, np.nan, 1.0))).model
    assert ((unknown != 0) | (without == 0)).all(), "an unknown latency was taken for the shortest"


def check_choices_carry_propensities(case: PolicyCase) -> None:
    """Every choice has a propensity in (0, 1]."""
    propensity = _choose(case.fitted, _estimates()).propensity
    assert propensity.shape == (len(toy()),), f"propensities have shape {propensity.shape}"
    assert ((propensity > 0) & (propensity <= 1)).all(), f"a choice has propensity {propensity.min()}"


def check_draws_match_propensities(case: PolicyCase) -> None:
    """Over evenly spread draws, a model is chosen as often as its propensity says."""
    for row in range(4):
        choice = _choose(case.fitted, _estimates().take([row] * _GRID))
        for model in np.unique(choice.model):
            mine = choice.model == model
            gap = abs(mine.mean() - choice.propensity[mine].mean())
            assert gap <= 2 / _GRID, f"chosen in {mine.mean():.3f} of draws, not {choice.propensity[mine].mean():.3f}"


def check_rows_are_chosen_alone(case: PolicyCase) -> None:
    """What is chosen for a query does not depend on the queries beside it, nor on their order."""
    found, n = _estimates(), len(_estimates())
    spread = (np.arange(n) + 0.5) / n
    together = case.fitted.choose(found, uniforms=lambda: spread)
    for i in reversed(range(n)):
        alone = case.fitted.choose(found.take([i]), uniforms=partial(spread.__getitem__, slice(i, i + 1)))
        assert alone.model[0] == together.model[i], f"row {i} is chosen differently alone"
        expect_same(alone.scores[0].tolist(), together.scores[i].tolist(), "scores differ", tolerance=1e-9)


def check_scores_are_known(case: PolicyCase) -> None:
    """Every model has a score where all its estimates are known."""
    found = _estimates()
    scores = _choose(case.fitted, found).scores
    assert scores.shape == found.quality.shape, f"scores have shape {scores.shape}, not {found.quality.shape}"
    assert not np.isnan(scores).any(), "a score is unknown"


def check_estimates_are_left_alone(case: PolicyCase) -> None:
    """Choosing only reads the estimates."""
    found, untouched = _estimates(), _estimates()
    found = replace(found, quality=found.quality.copy(), cost_usd=found.cost_usd.copy())
    _choose(case.fitted, found)
    for name in ("quality", "cost_usd"):
        expect_same(getattr(found, name).tolist(), getattr(untouched, name).tolist(), f"choosing changed {name}")


def _names_no_models(case: PolicyCase) -> bool:
    return not case.names_models


def _tied(*, unpriced: bool) -> RoutingDataset:
    """Return outcomes of equal quality and latency; the first model is the cheapest, or of unknown cost."""
    data = tied(toy())
    first = np.arange(len(data.models)) == 0
    return replace(data, cost_usd=np.where(first, np.nan if unpriced else 1e-9, data.cost_usd))


@only(_names_no_models)
def check_tied_estimates_go_to_the_cheapest(case: PolicyCase) -> None:
    """Of models that are expected to be equally good and fast, the cheapest is chosen."""
    data = _tied(unpriced=False)
    choice = _choose(case.trained(data), blurred(data))
    assert ((choice.model == 0) | (choice.propensity < 1)).all(), "a tie did not go to the cheapest"


@only(_names_no_models)
def check_tied_unknown_costs_are_not_free(case: PolicyCase) -> None:
    """A model of unknown cost does not win a tie: either a known one does, or the missing cost is an error."""
    data = _tied(unpriced=True)
    try:
        choice = _choose(case.trained(data), blurred(data))
    except UnknownCostError:
        return
    assert ((choice.model != 0) | (choice.propensity < 1)).all(), "an unknown cost was taken for the lowest"
