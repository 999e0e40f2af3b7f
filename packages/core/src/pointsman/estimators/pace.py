"""Pace: how long each model takes to begin its answer, and how long for every token of it."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State

__all__ = ["Pace"]

Vector = NDArray[np.float64]


class Pace(State):
    """Seconds to the first token and seconds per output token, shape (m,); NaN where latency or tokens were not recorded."""

    first_token_s: Vector
    per_token_s: Vector

    @classmethod
    def fit(cls, output_tokens: Vector, latency_s: Vector) -> Self:
        """Fit each model's line by least squares on (n, m) tokens and seconds; neither part may be negative."""
        first, each = (np.full(latency_s.shape[1], np.nan) for _ in range(2))
        for j, (tokens, seconds) in enumerate(zip(output_tokens.T, latency_s.T, strict=True)):
            seen = np.isfinite(tokens) & np.isfinite(seconds)
            if seen.any():
                first[j], each[j] = _line(tokens[seen], seconds[seen])
        return cls(first_token_s=first, per_token_s=each)

    def predict(self, output_tokens: Vector) -> Vector:
        """Return the expected seconds for expected output tokens, shape (n, m)."""
        seconds: Vector = self.first_token_s + self.per_token_s * output_tokens
        return seconds


def _line(tokens: Vector, seconds: Vector) -> tuple[float, float]:
    """Return intercept and slope of the least-squares line among those with neither negative."""
    spread = tokens - tokens.mean()
    square = float(spread @ spread)
    slope = max(float(spread @ seconds) / square, 0.0) if square > 0 else 0.0
    start = float(seconds.mean()) - slope * float(tokens.mean())
    if start < 0:  # then the best of the allowed lines passes through the origin
        return 0.0, float(tokens @ seconds) / float(tokens @ tokens)
    return start, slope
