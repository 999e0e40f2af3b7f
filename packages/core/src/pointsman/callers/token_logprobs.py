"""Token log-probabilities in the shape that OpenAI's chat completions gave to the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["TokenLogprobs"]


class TokenLogprobs(NamedTuple):
    """What `Response` keeps of a choice's `logprobs`: those of the tokens, and of the likeliest ones at each place.

    Each is None where it was not given, or not for every token.
    """

    logprobs: tuple[float, ...] | None
    top_logprobs: tuple[tuple[float, ...], ...] | None

    @classmethod
    def of(cls, given: Any) -> TokenLogprobs:
        """Read a choice's `logprobs`, as plain data.

        >>> place = {"token": "4", "logprob": -0.1, "top_logprobs": [{"logprob": -2.3}, {"logprob": -0.1}]}
        >>> TokenLogprobs.of({"content": [place]})
        TokenLogprobs(logprobs=(-0.1,), top_logprobs=((-0.1, -2.3),))
        >>> TokenLogprobs.of(None)
        TokenLogprobs(logprobs=None, top_logprobs=None)
        """
        tokens = given.get("content") if isinstance(given, Mapping) else None
        return cls(logprobs=_said(tokens or ()), top_logprobs=_likeliest(tokens or ()))


def _said(tokens: Any) -> tuple[float, ...] | None:
    try:
        return tuple(float(token["logprob"]) for token in tokens) or None
    except (KeyError, TypeError, ValueError):
        return None


def _likeliest(tokens: Any) -> tuple[tuple[float, ...], ...] | None:
    """Return the alternatives at each place, likeliest first; None where a place has none."""
    try:
        places = [sorted((float(one["logprob"]) for one in token["top_logprobs"]), reverse=True) for token in tokens]
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(map(tuple, places)) if places and all(places) else None
