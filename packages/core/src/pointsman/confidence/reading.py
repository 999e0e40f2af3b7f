"""Reading answers: what a text says once its spelling, its reasoning or its wrapping is put aside."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from pointsman.types import Response

__all__ = ["json_in", "json_objects", "last_choice", "last_number", "normalised", "said", "without_fence"]

_WRAPPING = "\"'`*_“”\u2018\u2019«»()[]{}<>"
_ENDING = ".,;:!?…"
_DEEPEST = 64  # levels of JSON that an answer may have
_NUMBER = re.compile(
    r"(?<![\w.])(?P<top>[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+]?\.\d+)"
    r"(?:\s*/\s*(?P<bottom>\d+))?"
)
_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_CHOSEN = re.compile(  # not the "a" or "I" of a sentence
    r"(?i:answer|choice|option)\W{0,6}(?i:is|:)?\W{0,6}(?!a\s+\w|[Ii]\s+[a-z])([A-Za-z])\b(?!['’])"
)
_ALONE = re.compile(r"^\W*([A-Z])\W*$", re.IGNORECASE | re.MULTILINE)
_MARKED = re.compile(r"\(([A-Z])\)")


def said(response: Response) -> str:
    """Return the final answer of a response where somebody has read it out, else all of its text."""
    return response.text if response.answer is None else response.answer


def normalised(text: str) -> str:
    """Return a text without case, compatibility variants, extra blanks, and the quotes and stops around it.

    >>> normalised('  "Paris,  FRANCE." ')
    'paris, france'
    """
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()
    stripped = plain.strip(_WRAPPING + _ENDING + " ")
    return stripped or plain


def last_number(text: str) -> float | None:
    r"""Return the last number a text states, with thousands' commas, exponents and fractions understood; or None.

    >>> last_number("First 3, so the total is $1,234.50."), last_number("none"), last_number(r"\frac{3}{4}")
    (1234.5, None, 0.75)
    """
    plain = _FRACTION.sub(r"\1/\2", text.replace("−", "-"))
    last = None
    for found in _NUMBER.finditer(plain):
        value = float(found["top"].replace(",", "")) / float(found["bottom"] or 1) if _whole(found) else None
        last = value if value is not None and isfinite(value) else last
    return last


def _whole(found: re.Match[str]) -> bool:
    return found["bottom"] is None or float(found["bottom"]) > 0


def last_choice(text: str) -> str | None:
    """Return the letter of the option that a text settles on, or None.

    The last "answer is X" counts, else the last letter that stands alone on its line, else the last one in brackets.

    >>> last_choice("(A) is tempting, but the answer is (C)."), last_choice("b"), last_choice("no idea")
    ('C', 'B', None)
    """
    for pattern in (_CHOSEN, _ALONE, _MARKED):
        if found := pattern.findall(text):
            return str(found[-1]).upper()
    return None


def without_fence(text: str) -> str:
    """Return the content of the first code block of a text, or the text where there is none."""
    fenced = _FENCED.search(text)
    return fenced[1] if fenced else text


def json_in(text: str, **how: Any) -> Any:
    """Return the JSON that a text, or the code block in it, is; raise ValueError where it is none, or nested beyond reason.

    `how` goes to `json.loads`.
    """
    try:
        content = json.loads(without_fence(text), **how)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [content]
    for _ in range(_DEEPEST):  # one and the same depth, however deep the caller's own stack is
        level = [inner for one in level if isinstance(one, list | dict) for inner in _inside(one)]
        if not level:
            return content
    raise ValueError(f"nested in more than {_DEEPEST} levels")


def _inside(one: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return one.values() if isinstance(one, dict) else one


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that stand in a text, outermost ones only."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except ValueError:
            end = start + 1
        except RecursionError:  # whatever is nested as deeply is no object that anybody meant
            return
        else:
            if isinstance(found, dict):
                yield found
        start = text.find("{", end)
