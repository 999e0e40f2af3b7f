"""The identifier of a query that was given none: a hash of its text, the same wherever the text is met."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["short_id", "text_id"]


def text_id(text: str) -> str:
    """Return the identifier that belongs to this text.

    >>> text_id("2+2?")
    'q-e3ca948e7ab0e337'
    """
    return f"q-{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def short_id(text: str) -> str:
    """Return the part of a text's identifier that tells ten thousands of texts apart: what an artefact keeps of each.

    >>> short_id("2+2?")
    'e3ca948e7a'
    """
    return text_id(text)[2:12]
