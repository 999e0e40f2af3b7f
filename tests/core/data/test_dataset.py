"""RoutingDataset: what it refuses, what it says of its models, and its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pointsman.data import Queries, RoutingDataset
from pointsman.errors import DataError
from pointsman.models import ModelPool

NAN = float("nan")


def toy(**changes: Any) -> RoutingDataset:
    """Return three queries, the first and the last of equal text, and two models."""
    content: dict[str, Any] = {
        "queries": Queries.from_texts(["a", "b", "a"], domains=["x", None, "x"]),
        "models": ("m", "n"),
        "quality": np.array([[1, 0], [0.5, NAN], [0, 1]]),
        "cost_usd": np.array([[0.2, 0.1], [NAN, 0.1], [0.4, 0.1]]),
    }
    return RoutingDataset(**(content | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ("m", "m")}, "distinct model names, at least one; got 'm', 'm'"),
        ({"models": ()}, "at least one"),
        ({"quality": np.ones((3, 3))}, r"quality has shape \(3, 3\); 3 queries × 2 models need \(3, 2\)"),
        ({"latency_s": np.ones((2, 2))}, r"latency_s has shape \(2, 2\)"),
        ({"groups": np.zeros(2, dtype=np.int64)}, r"groups has shape \(2,\); 3 queries need \(3,\)"),
        (
            {"quality": np.array([[1, 0], [1.5, 0], [0, 1]])},
            r"quality must be in \[0, 1\]; query '1', model 'm' has 1.5",
        ),
        ({"cost_usd": np.full((3, 2), -0.5)}, r"cost_usd must be in \[0, inf\]; query '0', model 'm' has -0.5"),
        ({"latency_s": np.full((3, 2), np.inf)}, "latency_s must be in"),
        ({"pool": ModelPool(["m", "o"])}, "The pool does not describe 'n'; it has 'm', 'o'"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    """The error names the thing, the value and what was needed."""
    with pytest.raises(DataError, match=message):
        toy(**changes)


def test_means_are_over_what_is_known() -> None:
    """An unobserved cell counts neither as 0 nor at all; a column without any is NaN."""
    data = toy(cost_usd=np.array([[0.2, NAN], [NAN, NAN], [0.4, NAN]]))
    np.testing.assert_allclose(data.mean_quality, [0.5, 0.5])
    np.testing.assert_allclose(data.mean_cost_usd, [0.3, NAN])


def test_the_best_single_model_is_the_cheapest_of_the_best() -> None:
    """Ties in quality go to the lower cost, then to the alphabet; an unknown cost is dearer than any."""
    assert toy().best_single == "n"
    assert toy(cost_usd=np.full((3, 2), 0.1)).best_single == "m"
    assert toy(cost_usd=np.array([[0.9, NAN]] * 3)).best_single == "m"


def test_the_cheapest_model_is_the_best_of_the_cheapest() -> None:
    """Ties in cost go to the higher quality, then to the alphabet."""
    assert toy().cheapest == "n"
    assert toy(cost_usd=np.ones((3, 2)), quality=np.array([[0, 1]] * 3)).cheapest == "n"
    assert toy(cost_usd=np.ones((3, 2))).cheapest == "m"


def test_taken_rows_are_whole() -> None:
    """Every array follows, and equal texts stay one group though their numbers change."""
    data = toy(answers=np.array([["p", "q"], ["r", None], ["s", "t"]], dtype=object))
    part = data.take([2, 0])
    assert part.queries.texts == ("a", "a")
    assert part.queries.domains == ("x", "x")
    assert part.quality.tolist() == [[0, 1], [1, 0]]
    assert part.answers is not None
    assert part.answers.tolist() == [["s", "t"], ["p", "q"]]
    assert part.group_of.tolist() == [0, 0]


def test_its_size_is_its_name() -> None:
    """A glance tells how much there is."""
    assert repr(toy()) == "RoutingDataset(3 queries × 2 models)"


def test_given_groups_hold() -> None:
    """They override equality of text."""
    assert toy(groups=np.array([7, 7, 3])).group_of.tolist() == [1, 1, 0]


def test_only_some_models() -> None:
    """Columns and pool are cut alike; an unknown name lists the known ones."""
    part = toy().only(["n"])
    assert part.models == ("n",)
    assert part.pool is not None
    assert part.pool.names == ("n",)
    assert part.quality.shape == (3, 1)
    with pytest.raises(DataError, match="has no model 'o'; it has 'm', 'n'"):
        toy().only(["o"])


@pytest.mark.parametrize("reorder", [lambda d: d.take([1, 2, 0]), lambda d: d.only(["n", "m"])])
def test_the_canonical_form_knows_no_order(reorder: Callable[[RoutingDataset], RoutingDataset]) -> None:
    """Reordered rows and models give the same arrays."""
    left, right = toy().canonical(), reorder(toy()).canonical()
    assert left.models == right.models == ("m", "n")
    assert left.queries.ids == right.queries.ids
    np.testing.assert_array_equal(left.quality, right.quality)
    np.testing.assert_array_equal(left.cost_usd, right.cost_usd)


def test_groups_are_numbered_alike_whatever_the_order() -> None:
    """Groups by text, found in another order, get the same numbers in the canonical form; so folds are the same."""
    texts = ["b", "a", "b", "c"]
    left = RoutingDataset.from_arrays(texts, {"m": [1, 0, 1, 0]}, ids=["0", "1", "2", "3"])
    right = RoutingDataset.from_arrays(texts[::-1], {"m": [0, 1, 0, 1]}, ids=["3", "2", "1", "0"])
    assert left.canonical().group_of.tolist() == right.canonical().group_of.tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    "told",
    [
        {"cost_usd": np.array([[0.1, 0.2], [0.3, 0.4]])},
        {"latency_s": np.array([[1.0, 2.0], [3.0, NAN]])},
        {"answers": np.array([["x", None], ["y", None]], dtype=object)},
        {"groups": np.array([4, 2])},
    ],
)
def test_rows_of_equal_text_id_and_quality_have_an_order_too(told: dict[str, Any]) -> None:
    """What else is known of them settles it: costs, times, answers or groups."""
    same = Queries.from_texts(["a", "a"], ids=["1", "1"])
    content: dict[str, Any] = {"queries": same, "quality": np.zeros((2, 2)), "cost_usd": np.zeros((2, 2))}
    left = toy(**(content | told))
    right = toy(**(content | {name: values[::-1] for name, values in told.items()}))
    for name in told:
        found, expected = getattr(left.canonical(), name).tolist(), getattr(right.canonical(), name).tolist()
        assert repr(found) == repr(expected)
    assert left.canonical().cost_usd.tobytes() == right.canonical().cost_usd.tobytes()


def test_columns_by_model_make_a_dataset() -> None:
    """Unknown costs are NaN; costs of other models than the scored ones are refused."""
    assert np.isnan(RoutingDataset.from_arrays(["a"], {"m": [1]}).cost_usd).all()
    with pytest.raises(DataError, match="cost_usd has models 'n', quality has 'm'"):
        RoutingDataset.from_arrays(["a"], {"m": [1]}, {"n": [1]})
    with pytest.raises(DataError, match="at least one"):
        RoutingDataset.from_arrays(["a"], {})
