"""TokenEntropy: how undecided a model was between tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, fsum, isnan, log
from typing import Any, ClassVar

from pointsman.confidence.base import Confidence
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["TokenEntropy"]

_TOP = 5


class TokenEntropy(Confidence):
    """One less the mean entropy of the tokens, as a share of what it can be.

    Each place's likeliest tokens are known, and the rest of the probability counts as one further token, so the entropy is a
    lower bound, between 0 and log(k + 1). Places without alternatives do not count; None where there are no others, or where a
    log-probability is no number.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"top_logprobs"})
    asks: ClassVar[Mapping[str, Any]] = {"logprobs": True, "top_logprobs": _TOP}

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Return how decided the last response's tokens were."""
        yield from ()
        found = [place for place in responses[-1].top_logprobs or () if place]
        if not found or any(isnan(value) for place in found for value in place):
            return None
        return 1 - fsum(map(_undecided, found)) / len(found)


def _undecided(logprobs: Sequence[float]) -> float:
    """Return the entropy of one place, as a share of the highest it can have."""
    known = [exp(value) for value in logprobs]
    shares = [*known, max(0.0, 1 - fsum(known))]
    total = fsum(shares)
    entropy = -fsum(share / total * log(share / total) for share in shares if share > 0)
    return min(1.0, max(0.0, entropy / log(len(shares))))
