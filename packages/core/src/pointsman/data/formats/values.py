"""Values inside columns: lists written as text, nested objects, marks such as "pass", data frames."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pointsman.data.readers.tables import Column
from pointsman.errors import DataError

__all__ = ["as_text", "expanded", "flattened", "graded", "listed_texts", "mapped", "plain_records", "unwrapped"]

_MARKS = {"pass": 1.0, "passed": 1.0, "fail": 0.0, "failed": 0.0}


def mapped(column: Column | None, change: Any) -> Column | None:
    """Return a column with every given value changed; what becomes None is not given any more."""
    if column is None:
        return None
    pairs = zip(column.values.tolist(), column.given.tolist(), strict=True)
    return Column.of([change(value) if given else None for value, given in pairs])


def graded(column: Column) -> Column:
    """Return a column of scores in which pass is 1, fail is 0, and NaN is a score that was not given.

    >>> graded(Column.of(["pass", "FAIL", 0.5, float("nan")])).values.tolist()
    [1.0, 0.0, 0.5, None]
    """
    if column.values.dtype.kind == "f":
        return Column(values=column.values, given=column.given & ~np.isnan(column.values))
    graded = mapped(column, _mark)
    return column if graded is None else graded


def _mark(value: Any) -> Any:
    if isinstance(value, str):
        return _MARKS.get(value.strip().lower(), value)
    return None if isinstance(value, float) and np.isnan(value) else value


def listed_texts(value: Any) -> list[str] | None:
    """Return the texts of a list, or of one that was written as text by Python or as JSON; None for anything else.

    >>> listed_texts("['one', 'two']")
    ['one', 'two']
    >>> listed_texts("[sic]") is None
    True
    """
    if isinstance(value, str):
        value = _written_list(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple) and value and all(part is None or isinstance(part, str) for part in value):
        return [part or "" for part in value]
    return None


def unwrapped(value: Any) -> Any:
    """Return a list of texts as one text, its parts apart by a blank line; anything else as it is.

    >>> unwrapped("['Why is the sky blue?']")
    'Why is the sky blue?'
    """
    texts = listed_texts(value)
    return value if texts is None else "\n\n".join(texts)


def _written_list(text: str) -> Any:
    """Return the list of texts that a text writes, or None."""
    quote = text[1:2]
    if text[:1] != "[" or text[-1:] != "]" or quote not in {"'", '"'}:
        return None
    inner = text[2:-2]
    if text[-2] == quote and len(text) > 3 and quote not in inner and "\\" not in inner:  # noqa: PLR2004 - two quotes
        return [inner]  # the usual case: a single text without escapes, of which there may be hundreds of thousands
    parsed = expanded(text)
    return None if parsed is text else parsed


def expanded(value: Any) -> Any:
    """Return the object or the list that a text writes as JSON or as Python does; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    for parse in (ast.literal_eval,) if value.lstrip()[1:2] == "'" else (json.loads, ast.literal_eval):
        try:
            return parse(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return value


def flattened(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without nested objects: their names joined by dots.

    >>> flattened({"id": 7, "usage": {"tokens": {"in": 3}}})
    {'id': 7, 'usage.tokens.in': 3}
    """
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": deep for inner, deep in flattened(value).items()}
        else:
            flat[str(name)] = value
    return flat


def as_text(value: Any) -> Any:
    """Return text and whole numbers as they are, and anything else as JSON: what an answer column can hold."""
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def plain_records(results: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a data frame, or those of a sequence of mappings; raise DataError for another kind."""
    if hasattr(results, "to_dict") and hasattr(results, "columns"):
        return [_known(row) for row in results.to_dict("records")]
    if isinstance(results, Sequence) and not isinstance(results, str | bytes):
        strange = [row for row in results if not isinstance(row, Mapping)]
        if not strange:
            return results
        raise DataError(f"{source} must hold mappings, holds a {type(strange[0]).__name__}.")
    raise DataError(f"{source} must be a data frame or a sequence of mappings, is a {type(results).__name__}.")


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a data frame knows of a row: a NaN in it says that there is nothing."""
    lists = {str(name): value.tolist() if isinstance(value, np.ndarray) else value for name, value in row.items()}
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in lists.items()}
