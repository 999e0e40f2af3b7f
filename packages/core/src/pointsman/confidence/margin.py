"""FirstTokenMargin: how far a model's first token was ahead of the runner-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from pointsman.confidence.base import Confidence
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["FirstTokenMargin"]


class FirstTokenMargin(Confidence):
    """The probability of the likeliest token at one place less that of the second.

    For answers that are one token, such as the letter of an option, this is all there is to know ("Optimising Calls to Large
    Language Models with Uncertainty-Based Two-Tier Selection", COLM 2024, arXiv 2405.02134). None where the response carries no
    alternatives there.

    Parameters:
        place: Which token, counted from 0.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"top_logprobs"})
    asks: ClassVar[Mapping[str, Any]] = {"logprobs": True, "top_logprobs": 2}

    place: Annotated[int, Ge(0)] = 0

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Return the margin at that token of the last response."""
        yield from ()
        found = responses[-1].top_logprobs
        if found is None or len(found) <= self.place or len(found[self.place]) < 2:  # noqa: PLR2004 - a margin is of two
            return None
        first, second = found[self.place][:2]
        return min(1.0, max(0.0, exp(first) - exp(second)))
