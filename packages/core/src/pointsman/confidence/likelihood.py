"""TokenLikelihood: how likely a model found its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, fsum, inf, isnan
from typing import Annotated, Any, ClassVar, Literal, Self

from annotated_types import Ge, Le

from pointsman.confidence.base import Confidence
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["TokenLikelihood"]


class TokenLikelihood(Confidence):
    """The probability of a response's tokens: of all of them, of the average one, or of one that few are below.

    The probability of the whole falls with length and that of the average token hides a single slip, so a low quantile is often
    the better sign ("Language Model Cascades: Token-level uncertainty and beyond", ICLR 2024, arXiv 2404.10136). A mean
    log-probability of a small model's own answer is a strong signal without training
    (arXiv 2605.02241). None where the response carries no log-probabilities, or one that is no number.

    Parameters:
        statistic: "mean" of the log-probabilities, their "sum", or a "quantile".
        quantile: Which one, in [0, 1]; 0 is the least likely token.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"logprobs"})
    asks: ClassVar[Mapping[str, Any]] = {"logprobs": True}

    statistic: Literal["mean", "sum", "quantile"] = "mean"
    quantile: Annotated[float, Ge(0), Le(1)] = 0.1

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of each kind."""
        return cls(), cls(statistic="sum"), cls(statistic="quantile", quantile=0.0)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Return a probability of the last response's tokens."""
        yield from ()
        found = responses[-1].logprobs
        if not found or any(map(isnan, found)):
            return None
        return exp(min(0.0, self._level(sorted(found))))

    def _level(self, ordered: list[float]) -> float:
        if self.statistic == "quantile":
            place = self.quantile * (len(ordered) - 1)
            below = int(place)
            above = min(below + 1, len(ordered) - 1)
            if ordered[below] == -inf:  # a token that could not be: nothing lies between it and another
                return -inf
            return ordered[below] + (place - below) * (ordered[above] - ordered[below])
        total = fsum(ordered)
        return total if self.statistic == "sum" else total / len(ordered)
