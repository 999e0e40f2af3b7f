"""Answers in a form in which spelling does not matter."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["normalised"]

_WRAPPING = "\"'`*_“”\u2018\u2019«»()[]{}<>"
_ENDING = ".,;:!?…"


def normalised(text: str) -> str:
    """Return a text without case, compatibility variants, extra blanks, and the quotes and stops around it.

    >>> normalised('  "Paris,  FRANCE." ')
    'paris, france'
    """
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()
    stripped = plain.strip(_WRAPPING + _ENDING + " ")
    return stripped or plain
