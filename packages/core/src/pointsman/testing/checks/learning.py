"""Learning: fitting is repeatable, forgets the past, leaves everything else alone, and the order of data is no information."""

from __future__ import annotations

from functools import partial
from typing import Any

from pointsman.testing.alterations import InterruptedRead, breaking, renamed, shuffled, with_holes
from pointsman.testing.cases import (
    Case,
    ConfidenceCase,
    EstimatorCase,
    PolicyCase,
    RouterCase,
    learns,
    learns_any_models,
    only,
    parts,
)
from pointsman.testing.expecting import expect_error, expect_same
from pointsman.testing.toys import QUERIES, toy

__all__ = [
    "check_failed_fits_change_nothing",
    "check_fit_forgets_the_past",
    "check_fit_leaves_the_data_alone",
    "check_fit_leaves_the_parts_alone",
    "check_fit_repeats",
    "check_fit_returns_itself",
    "check_missing_outcomes_are_tolerated",
    "check_model_names_are_irrelevant",
    "check_training_order_is_irrelevant",
]

_NAMES = {"large": "anna", "medium": "berta", "small": "clara"}


@only(learns)
def check_fit_returns_itself(case: Case[Any]) -> None:
    """`fit` returns the component it was called on."""
    component = case.fresh()
    assert case.fit(component, toy()) is component, "fit returns something else"


@only(learns)
def check_fit_repeats(case: Case[Any]) -> None:
    """Fitting twice on the same data learns exactly the same."""
    assert case.trained(toy()).digest() == case.trained(toy()).digest(), "a second fit learnt something else"


@only(learns)
def check_fit_forgets_the_past(case: Case[Any]) -> None:
    """Fitting a fitted component again is fitting a new one."""
    again = case.fit(case.trained(toy(20)), toy())
    assert again.digest() == case.trained(toy()).digest(), "an earlier fit left traces"


@only(learns)
def check_failed_fits_change_nothing(case: Case[Any]) -> None:
    """A fit that is interrupted anywhere raises, and leaves the component as it was."""
    reads: list[str] = []
    case.trained(breaking(toy(20), reads, float("inf")))
    component = case.trained(toy())
    before, end = component.digest(), len(reads)
    for limit in {0, end // 2, end - 1} if end else ():
        broken = breaking(toy(20), [], limit)
        expect_error(InterruptedRead, partial(case.fit, component, broken), "a broken fit ends well")
        assert component.digest() == before, "a broken fit changed the component"


@only(learns)
def check_fit_leaves_the_parts_alone(case: Case[Any]) -> None:
    """The components among the parameters are cloned to be fitted; they themselves never are."""
    component = case.fit(case.fresh(), toy())
    fitted = [part for part in parts(component) if part is not component and part.state_ is not None]
    assert not fitted, f"fit fitted {fitted} in place"


@only(learns)
def check_fit_leaves_the_data_alone(case: Case[Any]) -> None:
    """`fit` only reads the dataset."""
    data, untouched = toy(), toy()
    case.trained(data)
    for name in ("quality", "cost_usd", "latency_s"):
        expect_same(getattr(data, name).tolist(), getattr(untouched, name).tolist(), f"fit changed {name}")
    assert data.queries.embeddings is not None
    assert untouched.queries.embeddings is not None
    expect_same(data.queries.embeddings.tolist(), untouched.queries.embeddings.tolist(), "fit changed the vectors")


@only(learns)
def check_training_order_is_irrelevant(case: EstimatorCase | PolicyCase | ConfidenceCase | RouterCase) -> None:
    """Permuting the rows and the models of the training data changes no decision, and no number beyond rounding."""
    expected = case.does()
    for seed in range(2):
        found = case.does_after(shuffled(toy(), seed=seed))
        expect_same(found, expected, "the order of the data matters", tolerance=1e-9)


@only(learns_any_models)
def check_model_names_are_irrelevant(case: EstimatorCase | RouterCase) -> None:
    """Models with other names are treated as they were under their old ones."""
    found = case.does_after(renamed(toy(), _NAMES))
    expected = [_called(told, _NAMES) for told in case.does()]
    expect_same(found, expected, "the names of the models matter", tolerance=1e-9)


@only(learns)
def check_missing_outcomes_are_tolerated(case: EstimatorCase | RouterCase) -> None:
    """Outcomes that were not observed are no obstacle: it can be fitted, and knows what to expect of every model."""
    try:
        found = case.does_after(with_holes(toy()))
    except Exception as error:
        raise AssertionError(f"missing cells raise {error!r}") from error
    assert len(found) == len(QUERIES)


def _called(told: Any, names: dict[str, str]) -> Any:
    """Return plain data with models called by other names, wherever they stand."""
    if isinstance(told, dict):
        return {names.get(key, key): _called(value, names) for key, value in told.items()}
    if isinstance(told, list):
        return [_called(item, names) for item in told]
    return names.get(told, told) if isinstance(told, str) else told
