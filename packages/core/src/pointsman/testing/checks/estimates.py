"""Estimates: a column per model, finite for any text, near the scale of the outcomes; what nobody knows stays unknown."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from pointsman.data.queries import Queries
from pointsman.testing.alterations import unpriced, with_holes
from pointsman.testing.cases import EstimatorCase
from pointsman.testing.expecting import expect_same
from pointsman.testing.toys import QUERIES, UNUSUAL, toy

__all__ = [
    "check_columns_are_the_models",
    "check_costs_are_not_negative",
    "check_dominant_models_are_recognised",
    "check_explanations_are_plain_data",
    "check_missing_cells_have_estimates",
    "check_models_are_sorted",
    "check_no_queries_give_no_rows",
    "check_qualities_stay_near_the_scale",
    "check_single_models_are_estimated",
    "check_unknown_costs_stay_unknown",
    "check_unrecorded_latencies_stay_unknown",
    "check_unusual_texts_have_estimates",
]

_SEEN = Queries.of(QUERIES)
_STRANGE = Queries.of(UNUSUAL)
_LOWEST, _HIGHEST = -1.0, 2.0


def check_models_are_sorted(case: EstimatorCase) -> None:
    """The models are those of the training data, in alphabetical order."""
    names = case.fitted.predict(_SEEN).models
    assert names == tuple(sorted(toy().models)), f"the models are {names}"


def check_columns_are_the_models(case: EstimatorCase) -> None:
    """Every matrix has a row per query and a column per model."""
    found = case.fitted.predict(_SEEN)
    shape = (len(_SEEN), len(found.models))
    for name in ("quality", "cost_usd", "latency_s"):
        matrix = getattr(found, name)
        assert matrix is None or matrix.shape == shape, f"{name} has shape {matrix.shape}, not {shape}"
    assert found.draws is None or found.draws.shape[1:] == shape, f"draws have shape {found.draws.shape}"


def check_no_queries_give_no_rows(case: EstimatorCase) -> None:
    """For no queries at all there are estimates of no rows."""
    none = _SEEN.take([])
    found = case.fitted.predict(none)
    assert found.quality.shape == (0, len(found.models)), f"quality has shape {found.quality.shape}"


def check_unusual_texts_have_estimates(case: EstimatorCase) -> None:
    """Texts that nobody foresaw have finite estimates: empty ones, any script, a hundred thousand characters."""
    found = case.fitted.predict(_STRANGE)
    for name in ("quality", "cost_usd"):
        unknown = ~np.isfinite(getattr(found, name)).all(axis=1)
        assert not unknown.any(), f"{name} of the {UNUSUAL[int(unknown.argmax())].id} text is not finite"


def check_qualities_stay_near_the_scale(case: EstimatorCase) -> None:
    """Outcomes in [0, 1] make expectations in [-1, 2]: a linear model may overshoot, none may be far off."""
    for queries in (_SEEN, _STRANGE):
        quality = case.fitted.predict(queries).quality
        worst, best = quality.min(), quality.max()
        assert _LOWEST <= worst <= best <= _HIGHEST, f"qualities from {worst:.3g} to {best:.3g} are expected"


def check_dominant_models_are_recognised(case: EstimatorCase) -> None:
    """A model that was always right is expected to be better than one that never was, on every query."""
    always = np.where(np.array(toy().models) == "medium", 1.0, 0.0)
    data = replace(toy(), quality=np.tile(always, (len(toy()), 1)))
    assert set(case.trained(data).predict(_SEEN).best()) == {"medium"}, "the model that is always right is not the best"


def check_single_models_are_estimated(case: EstimatorCase) -> None:
    """One model is enough to learn from."""
    found = case.trained(toy().only(["medium"])).predict(_SEEN)
    assert found.models == ("medium",), f"the models are {found.models}"


def check_costs_are_not_negative(case: EstimatorCase) -> None:
    """No call is expected to earn money."""
    for queries in (_SEEN, _STRANGE):
        cost = case.fitted.predict(queries).cost_usd
        assert (cost >= 0).all(), f"a cost of {cost.min():.3g} is expected"


def check_unknown_costs_stay_unknown(case: EstimatorCase) -> None:
    """A model whose costs nobody recorded has an unknown cost, and the others still have theirs."""
    found = case.trained(unpriced(toy(), "medium")).predict(_SEEN)
    unknown = np.isnan(found.cost_usd)
    assert unknown[:, found.models.index("medium")].all(), "an unknown cost was made up"
    assert unknown.sum() == len(_SEEN), "a known cost was lost"


def check_unrecorded_latencies_stay_unknown(case: EstimatorCase) -> None:
    """Where nobody recorded latencies, none are expected."""
    found = case.trained(replace(toy(), latency_s=None)).predict(_SEEN)
    assert found.latency_s is None or np.isnan(found.latency_s).all(), "latencies were made up"


def check_missing_cells_have_estimates(case: EstimatorCase) -> None:
    """Every model that was observed at all has an expected quality and cost."""
    found = case.trained(with_holes(toy())).predict(_SEEN)
    for name in ("quality", "cost_usd"):
        assert np.isfinite(getattr(found, name)).all(), f"missing cells make {name} unknown"


def check_explanations_are_plain_data(case: EstimatorCase) -> None:
    """What an estimate rests on can be written as JSON."""
    for query in QUERIES:
        explanation = case.fitted.explain(query)
        try:
            expect_same(json.loads(json.dumps(explanation, allow_nan=False)), explanation, "JSON changes it")
        except (TypeError, ValueError) as error:
            raise AssertionError(f"{explanation} is not plain data: {error}") from error
