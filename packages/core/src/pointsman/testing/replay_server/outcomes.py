"""Recorded outcomes held as tables, one row a text and one column a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointsman.testing.replay_server.recorded import Recorded

__all__ = ["OutcomeTable"]


class OutcomeTable(Mapping[tuple[str, str], Recorded]):
    """A mapping (model, text) -> `Recorded` that makes each value when it is asked for.

    Hundreds of thousands of outcomes cost no more than their arrays. Of a repeated text the first row counts.

    Parameters:
        texts: The n query texts.
        models: The m model names, each once.
        answers: (n, m) texts; None where a model gave no answer, which is served as an empty one.
        input_tokens: (n, m) counts, or None; NaN where unknown.
        output_tokens: (n, m) counts, or None; NaN where unknown.
        latency_s: (n, m) seconds, or None; NaN where unknown, which is served at once.

    Raises:
        ValueError: If a shape is not (n, m), or a model's name is repeated.
    """

    def __init__(
        self,
        texts: Sequence[str],
        models: Sequence[str],
        answers: Sequence[Sequence[str | None]] | NDArray[Any],
        *,
        input_tokens: ArrayLike | None = None,
        output_tokens: ArrayLike | None = None,
        latency_s: ArrayLike | None = None,
    ) -> None:
        shape = (len(texts), len(models))
        self._rows: dict[str, int] = {}
        for row, text in enumerate(texts):
            self._rows.setdefault(str(text), row)
        self._columns = {str(model): column for column, model in enumerate(models)}
        if len(self._columns) != len(models):
            raise ValueError(f"models must be distinct, got {sorted(map(str, models))}")
        self._answers = _table("answers", answers, shape, np.object_)
        self._input = None if input_tokens is None else _table("input_tokens", input_tokens, shape, np.float64)
        self._output = None if output_tokens is None else _table("output_tokens", output_tokens, shape, np.float64)
        self._latency = None if latency_s is None else _table("latency_s", latency_s, shape, np.float64)

    def __getitem__(self, key: tuple[str, str]) -> Recorded:
        model, text = key
        row, column = self._rows[text], self._columns[model]
        answer = self._answers[row, column]
        used = _known(self._input, row, column), _known(self._output, row, column)
        return Recorded(
            text="" if answer is None else str(answer),
            input_tokens=None if used[0] is None else round(used[0]),
            output_tokens=None if used[1] is None else round(used[1]),
            latency_s=_known(self._latency, row, column) or 0.0,
        )

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((model, text) for text in self._rows for model in self._columns)

    def __len__(self) -> int:
        return len(self._rows) * len(self._columns)


def _table(name: str, values: Any, shape: tuple[int, int], dtype: type[np.generic]) -> NDArray[Any]:
    table = np.asarray(values, dtype=dtype)
    if table.shape != shape:
        raise ValueError(f"{name} must be {shape} (texts, models), got {table.shape}")
    return table


def _known(table: NDArray[np.float64] | None, row: int, column: int) -> float | None:
    if table is None or np.isnan(table[row, column]):
        return None
    return float(table[row, column])
