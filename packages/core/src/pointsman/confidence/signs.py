"""Signs: what a response shows of its worth without anybody's knowing the right answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log1p

import numpy as np
from numpy.typing import NDArray

from pointsman.confidence.arithmetic import calculations_in, numbers_in

__all__ = ["SIGNS", "signs"]

SIGNS = (
    *("length beside the question's", "lines", "lists", "code", "emphasis", "distinct words"),
    *("ends a sentence", "ends in a digit", "left open", "names its answer", "hedges", "refuses", "questions"),
    *("calculations", "no calculation", "share wrong", "last wrong", "long decimals"),
    *("numbers", "whole", "zero", "size", "size beside the question's", "in the question", "calculated"),
    *("last calculated", "unused share", "unused"),
)
"""What `signs` returns, in order."""

_LIST = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s", re.MULTILINE)
_EMPHASIS = re.compile(r"\*\*[^*\n]+\*\*|^#{1,6} ", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")
_NAMED = re.compile(r"####|\\boxed|\banswer\b", re.IGNORECASE)
_HEDGE = re.compile(
    r"\b(?:however|assum\w*|approximately|unclear|rounded|perhaps|maybe|probably|might|wait|but"
    r"|cannot|can't|unknown|not enough)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?:sorry|as an ai|i (?:cannot|can't|am unable|don't know|do not know)|i'm unable)\b", re.IGNORECASE
)
_DECIMALS = re.compile(r"\d\.\d{3}")
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"), ("<<", ">>"))
_SAME = 1e-9


def signs(questions: Sequence[str], responses: Sequence[str]) -> NDArray[np.float64]:
    """Return what each response shows, shape (n, len(SIGNS)).

    Its length beside the question's, its form, whether it stops in the middle, hedges or refuses; whether its arithmetic is
    right when it is worked out again; and what becomes of numbers: whether its last one is whole, large, calculated, or the
    question's own, and how many of the question's it never uses.
    """
    rows = [(*_form(q, r), *_reckoning(q, r)) for q, r in zip(questions, responses, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(SIGNS))


def _form(question: str, response: str) -> tuple[float, ...]:
    text = response.strip()
    words = [word.lower() for word in _WORD.findall(text)]
    return (
        log1p(len(text)) - log1p(len(question)),
        log1p(sum(bool(line.strip()) for line in text.splitlines())),
        log1p(len(_LIST.findall(text))),
        log1p(text.count("```")),
        log1p(len(_EMPHASIS.findall(text))),
        len(set(words)) / np.sqrt(1 + len(words)),
        text.endswith((".", "!", "?", "。")),
        text[-1:].isdigit(),
        sum(text.count(a) != text.count(b) for a, b in _BRACKETS) + text.count("```") % 2,
        bool(_NAMED.search(text)),
        log1p(len(_HEDGE.findall(text))),
        bool(_REFUSAL.search(text)),
        log1p(text.count("?")),
    )


def _reckoning(question: str, response: str) -> tuple[float, ...]:
    given, numbers, reckoned = numbers_in(question), numbers_in(response), calculations_in(response)
    wrong = [not each.right for each in reckoned]
    last = numbers[-1] if numbers else 0.0
    unused = [number for number in given if not _among(number, numbers)]
    return (
        log1p(len(reckoned)),
        not reckoned,
        sum(wrong) / max(1, len(wrong)),
        bool(wrong) and wrong[-1],
        log1p(len(_DECIMALS.findall(response))),
        log1p(len(numbers)),
        last.is_integer(),
        last == 0,
        log1p(last),
        log1p(last) - log1p(max(given, default=0.0)),
        _among(last, given),
        _among(last, [each.stated for each in reckoned]),
        bool(reckoned) and _among(last, [reckoned[-1].stated]),
        len(unused) / max(1, len(given)),
        log1p(len(unused)),
    )


def _among(number: float, others: Sequence[float]) -> bool:
    return any(abs(number - other) < _SAME for other in others)
