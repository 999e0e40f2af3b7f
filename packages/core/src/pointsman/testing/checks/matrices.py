"""Matrices: a feature map makes a float64 row per query, of one width, finite for any text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pointsman.data.queries import Queries
from pointsman.testing.cases import FeaturesCase
from pointsman.testing.expecting import expect_same
from pointsman.testing.toys import QUERIES, UNUSUAL

__all__ = [
    "check_equal_queries_have_equal_rows",
    "check_no_queries_make_no_rows",
    "check_rows_are_float64",
    "check_rows_differ_between_queries",
    "check_unusual_texts_have_features",
]


def check_rows_are_float64(case: FeaturesCase) -> None:
    """The matrix has a row per query and holds float64."""
    rows = case.fitted.transform(Queries.of(QUERIES))
    assert rows.dtype == np.float64, f"the matrix holds {rows.dtype}"
    assert rows.ndim == 2, f"the matrix has shape {rows.shape}"  # noqa: PLR2004 - rows and columns
    assert len(rows) == len(QUERIES), f"{len(QUERIES)} queries make {len(rows)} rows"


def check_no_queries_make_no_rows(case: FeaturesCase) -> None:
    """No queries at all make a matrix of no rows and the usual width."""
    width = case.fitted.transform(Queries.of(QUERIES)).shape[1]
    shape = case.fitted.transform(Queries.of(QUERIES).take([])).shape
    assert shape == (0, width), f"the matrix has shape {shape}"


def check_equal_queries_have_equal_rows(case: FeaturesCase) -> None:
    """A row depends on what is asked, not on the query's identifier or place."""
    first = QUERIES[0]
    rows = case.fitted.transform(Queries.of([first, *QUERIES[1:], replace(first, id="again")]))
    expect_same(rows[-1].tolist(), rows[0].tolist(), "equal queries differ", tolerance=1e-9)


def check_rows_differ_between_queries(case: FeaturesCase) -> None:
    """Different questions have different rows, or there would be nothing to route on."""
    rows = case.fitted.transform(Queries.of(QUERIES))
    assert len(np.unique(rows.round(12), axis=0)) > 1, "all queries look the same"


def check_unusual_texts_have_features(case: FeaturesCase) -> None:
    """Texts that nobody foresaw have finite rows: empty ones, any script, a hundred thousand characters."""
    rows = case.fitted.transform(Queries.of(UNUSUAL))
    unknown = ~np.isfinite(rows).all(axis=1)
    assert not unknown.any(), f"the row of the {UNUSUAL[int(unknown.argmax())].id} text is not finite"
