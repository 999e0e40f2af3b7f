"""Purity: the same question gets the same answer, whatever was asked before, beside it, or in another thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from pointsman.testing.cases import Case, EstimatorCase, FeaturesCase, RouterCase
from pointsman.testing.expecting import expect_same
from pointsman.testing.toys import QUERIES

__all__ = [
    "check_batches_agree_with_single_queries",
    "check_queries_are_left_alone",
    "check_query_order_is_irrelevant",
    "check_threads_agree",
    "check_use_changes_nothing",
    "check_use_repeats",
]

_THREADS = 8
_ROUNDS = 4


def check_use_repeats(case: Case[Any]) -> None:
    """Asked again, it does exactly the same."""
    first = case.does()
    expect_same(case.does(), first, "the second time differs")


def check_use_changes_nothing(case: Case[Any]) -> None:
    """Using a component changes neither its parameters nor its state."""
    before = case.fitted.digest()
    case.does()
    assert case.fitted.digest() == before, "its digest changed"


def check_query_order_is_irrelevant(case: RouterCase | EstimatorCase | FeaturesCase) -> None:
    """What it does with a query does not depend on the queries before it."""
    alone = [case.does([query])[0] for query in QUERIES]
    backwards = [case.does([query])[0] for query in reversed(QUERIES)]
    expect_same(backwards[::-1], alone, "the order of the queries matters")


def check_batches_agree_with_single_queries(case: EstimatorCase | FeaturesCase) -> None:
    """A row does not depend on the rows beside it, up to rounding."""
    alone = [case.does([query])[0] for query in QUERIES]
    expect_same(case.does(QUERIES), alone, "the batch matters", tolerance=1e-9)


def check_queries_are_left_alone(case: RouterCase | EstimatorCase | FeaturesCase) -> None:
    """The vectors that queries carry are only read."""
    for query in QUERIES:
        vector = np.array(query.embedding)
        case.does([replace(query, embedding=vector)])
        expect_same(vector.tolist(), np.array(query.embedding).tolist(), "a query's vector was changed")


def check_threads_agree(case: Case[Any]) -> None:
    """Many threads at once get what one thread gets."""
    alone = case.does()
    with ThreadPoolExecutor(_THREADS) as threads:
        together = list(threads.map(lambda _: case.does(), range(_THREADS * _ROUNDS)))
    expect_same(together, [alone] * len(together), "threads disagree")
