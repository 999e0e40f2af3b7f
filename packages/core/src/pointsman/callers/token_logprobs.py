"""Token log-probabilities in the shapes that OpenAI gave to the field: of chat completions, and of completions before them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
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
        >>> TokenLogprobs.of({"tokens": ["4"], "token_logprobs": [-0.1], "top_logprobs": [{"5": -2.3, "4": -0.1}]})
        TokenLogprobs(logprobs=(-0.1,), top_logprobs=((-0.1, -2.3),))
        >>> TokenLogprobs.of(None)
        TokenLogprobs(logprobs=None, top_logprobs=None)
        """
        tokens = _places(given) if isinstance(given, Mapping) else ()
        return cls(logprobs=_said(tokens), top_logprobs=_likeliest(tokens)) if tokens else _UNKNOWN


_UNKNOWN = TokenLogprobs(None, None)


def _places(given: Mapping[str, Any]) -> Any:
    """Return what is said of each token, in the form of chat completions."""
    if not (told := given.get("token_logprobs")):
        return given.get("content") or ()
    tops = zip_longest(told, given.get("top_logprobs") or ())
    return [
        {"logprob": one, "top_logprobs": [{"logprob": other} for other in (likely or {}).values()]}
        for one, likely in tops
    ]


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
