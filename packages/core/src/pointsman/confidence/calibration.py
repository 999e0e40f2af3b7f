"""Calibration: maps from scores to probabilities of being right, for one model or for several that learn from each other."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.confidence.logit import fit_logistic, sigmoid

__all__ = ["CurveState", "Method", "fit_curve"]

Vector = NDArray[np.float64]
Method: TypeAlias = Literal["platt", "isotonic", "temperature", "beta"]

_EDGE = 0.01  # scores of 0 and 1 count as this far inside: shares of few samples are often just that


class CurveState(State):
    """A non-decreasing map of scores: through knots, or σ(a·ln s - b·ln(1 - s) + c)."""

    x: Vector
    y: Vector
    parameters: Vector

    def __call__(self, score: Vector) -> Vector:
        """Return probabilities; NaN stays NaN."""
        known = np.isfinite(score)
        filled = np.where(known, score, 0.5)
        found = sigmoid(_logs(filled) @ self.parameters) if len(self.parameters) else np.interp(filled, self.x, self.y)
        result: Vector = np.where(known, found, np.nan)
        return result


def fit_curve(score: Vector, quality: Vector, method: Method, *, prior: float) -> CurveState:
    """Learn a map from scores (n,) in [0, 1] to qualities (n,); at least one row.

    Equal scores count as one row of their mean quality, so ties cannot reverse anything. With few rows the map shrinks to the
    mean quality: `prior` is how many rows that is worth. "platt" is logistic in the log-odds of the score (Platt, 1999), "beta"
    with a slope at either end (Kull, 2017), and "isotonic" the non-decreasing step function of least squares, joined by
    straight lines (Zadrozny and Elkan, 2002). "temperature" is logistic without an intercept (Guo, 2017): it cannot level off
    at a mean, and shrinks to the score as it is.
    """
    mean = float(quality.mean())
    if method == "isotonic":
        return _isotonic(score, quality, mean, prior)
    return CurveState(x=np.zeros(0), y=np.zeros(0), parameters=_parameters(score, quality, mean, method, prior))


def _isotonic(score: Vector, quality: Vector, mean: float, prior: float) -> CurveState:
    from sklearn.isotonic import IsotonicRegression

    x, rows = np.unique(score, return_inverse=True)
    count = np.bincount(rows).astype(np.float64)
    level = np.bincount(rows, weights=quality) / count
    fitted = IsotonicRegression().fit_transform(x, level, sample_weight=count)
    kept = len(score) / (len(score) + prior)
    return CurveState(x=x, y=kept * fitted + (1 - kept) * mean, parameters=np.zeros(0))


def _parameters(score: Vector, quality: Vector, mean: float, method: Method, prior: float) -> Vector:
    logs = _logs(score)
    slope = logs[:, :1] + logs[:, 1:2]
    ones = logs[:, 2:]
    parts: dict[str, list[Vector]] = {
        "platt": [slope, ones],
        "temperature": [slope],
        "beta": [logs[:, :1], logs[:, 1:2], ones],
    }
    design = np.hstack(parts[method])
    level = min(max(mean, _EDGE), 1 - _EDGE)
    free = method != "temperature"
    slopes = design.shape[1] - int(free)
    limits: list[tuple[float | None, float | None]] = [(0.0, None)] * slopes + [(None, None)] * int(free)
    start = np.r_[np.full(slopes, float(not free)), np.full(int(free), np.log(level / (1 - level)))]
    spread = float(np.square(slope - slope.mean()).mean()) + 1e-9
    weight = prior * _level_variance(mean)
    penalty = np.r_[np.full(slopes, weight * spread), np.full(int(free), weight)]
    found = fit_logistic(design, quality, penalty=penalty, towards=start, bounds=limits)
    if method == "beta":
        return found
    return np.array([found[0], found[0], found[1] if free else 0.0])


def _level_variance(mean: float) -> float:
    """Return the variance of one outcome of this mean, kept off zero."""
    return max(mean * (1 - mean), 1e-2)


def _logs(score: Vector) -> Vector:
    inside = np.clip(score, _EDGE, 1 - _EDGE)
    return np.stack([np.log(inside), -np.log1p(-inside), np.ones_like(inside)], axis=-1)
