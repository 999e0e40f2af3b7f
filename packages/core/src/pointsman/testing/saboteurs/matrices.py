"""Saboteurs of matrices: rows of the wrong kind, width or number, or with nothing in them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pointsman.data.queries import Queries
from pointsman.testing.saboteurs.honest import HonestFeatures

__all__ = ["DividesByLength", "LosesItsWidth", "ReadsIdentifiers", "RoundsRows", "SeesNothing"]


class RoundsRows(HonestFeatures):
    """Has single precision."""

    breaks: ClassVar = ("check_rows_are_float64",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return half of the digits."""
        return super().transform(queries).astype(np.float32)


class LosesItsWidth(HonestFeatures):
    """Does not know its width when there is nothing to see."""

    breaks: ClassVar = ("check_no_queries_make_no_rows",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return a list of rows, be there any or not."""
        return np.array(super().transform(queries).tolist(), dtype=np.float64)


class ReadsIdentifiers(HonestFeatures):
    """Reads more into an identifier than there is."""

    breaks: ClassVar = ("check_equal_queries_have_equal_rows",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return features of the identifier too."""
        return super().transform(queries) + np.array([len(name) for name in queries.ids], dtype=np.float64)[:, None]


class SeesNothing(HonestFeatures):
    """Finds all queries alike."""

    breaks: ClassVar = ("check_rows_differ_between_queries",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return ones."""
        return np.ones_like(super().transform(queries))


class DividesByLength(HonestFeatures):
    """Expects a text to have words."""

    breaks: ClassVar = ("check_unusual_texts_have_features",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return features per word, of which there may be none."""
        rows = super().transform(queries)
        words = np.array([len(text.split()) for text in queries.texts], dtype=np.float64)[:, None]
        per_word: NDArray[np.float64] = np.divide(rows, words, out=np.full(rows.shape, np.inf), where=words > 0)
        return per_word
