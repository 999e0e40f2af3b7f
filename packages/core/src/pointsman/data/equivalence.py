"""Equivalence: when two models' texts are the same answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["Equivalence", "answer_key", "coded"]

Equivalence: TypeAlias = Literal["exact", "normalised", "numeric", "option"]

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?|-?\.\d+")
_TOLD = re.compile(r"answer(?:\s+is)?\s*:?\s*\(?([A-Z])\b", re.IGNORECASE)
_LETTER = re.compile(r"\b([A-Z])\b")


def answer_key(text: str | None, equivalence: Equivalence) -> str | None:
    """Return what a text answers, such that equal keys are equal answers; None where it gives no answer.

    "exact" compares the text without its outer white space, "normalised" also without case, repeated white space and final
    punctuation, "numeric" the last number in it, and "option" the letter it names last as its answer.

    >>> [answer_key(text, "numeric") for text in ("So it is 1,200.", "= 1200.0", "I do not know")]
    ['1200', '1200', None]
    >>> [answer_key(text, "option") for text in ("A or B? The answer is (B).", "B", "?")]
    ['B', 'B', None]
    """
    text = "" if text is None else text.strip()
    return _KEYS[equivalence](text) if text else None


def coded(answers: NDArray[np.object_], equivalence: Equivalence) -> NDArray[np.intp]:
    """Return, for answers (n, m), the first column of the row that gives the same answer; -1 where there is none.

    >>> coded(np.array([["4", "5", "4. ", None]], dtype=object), "normalised").tolist()
    [[0, 1, 0, -1]]
    """
    codes = np.full(answers.shape, -1, dtype=np.intp)
    known: dict[str | None, str | None] = {None: None}
    for row, texts in enumerate(answers.tolist()):
        seen: dict[str, int] = {}
        for column, text in enumerate(texts):
            if text not in known:
                known[text] = answer_key(str(text), equivalence)
            key = known[text]
            if key is not None:
                codes[row, column] = seen.setdefault(key, column)
    return codes


def _normalised(text: str) -> str | None:
    return " ".join(text.casefold().split()).rstrip(" .!?;,") or None


def _numeric(text: str) -> str | None:
    found = _NUMBER.findall(text)
    return f"{float(found[-1].replace(',', '')):.10g}" if found else None


def _option(text: str) -> str | None:
    found = _TOLD.findall(text) or _LETTER.findall(text)
    return str(found[-1]).upper() if found else None


_KEYS: Mapping[str, Callable[[str], str | None]] = dict(
    zip(get_args(Equivalence), (str, _normalised, _numeric, _option), strict=True)
)
