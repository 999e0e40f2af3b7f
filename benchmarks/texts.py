"""What reading the text of answers is worth: cascade routing, and plain cascades that read the same.

The plain cascades have up to three models in order of cost, every chain of them, and a threshold: on how good the last answer
reads, which is then the answer given, or on how likely the best answer so far is right, by the very posterior that cascade
routing goes by.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from pointsman.confidence.learned import LearnedConfidence
from pointsman.data import RoutingDataset
from pointsman.data.equivalence import coded
from pointsman.estimators.answer_posterior import informed
from pointsman.estimators.base import Estimates
from pointsman.routers.stepping.learning import Lesson
from pointsman.routers.stepping.said import Said, told_in

__all__ = ["between", "plain", "said_in", "taught"]

_STEPS = 3
_GRID = np.linspace(0, 1, 51).tolist()


def taught(train: RoutingDataset, held: Estimates) -> Lesson:
    """Return what a cascade that reads texts learns, at the package's defaults."""
    return Lesson.of(train, held, "normalised", 3, LearnedConfidence())


def between(grid: np.ndarray) -> np.ndarray:
    """Return the learnt weights and two between each two of them, which a router takes as well."""
    positive = np.log(grid[grid > 0])
    places = np.arange((len(positive) - 1) * _STEPS + 1) / _STEPS
    return np.r_[0.0, np.exp(np.interp(places, np.arange(len(positive)), positive))]


def said_in(lesson: Lesson, part: RoutingDataset, found: Estimates) -> Said:
    """Return what the lesson's models said, and what reading it lets expect."""
    own = part.only([part.models[j] for j in lesson.columns])
    quality = found.quality[:, list(lesson.columns)]
    worth = quality if lesson.reader is None else lesson.reader.recorded(own, quality)
    return Said(codes=coded(told_in(own), "normalised"), worth=worth)


def plain(
    lesson: Lesson, price: np.ndarray, part: RoutingDataset, found: Estimates, said: Said
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of plain cascades that go by the last answer's text, and by the posterior; prices set the order."""
    columns = list(lesson.columns)
    own = part.only([part.models[j] for j in columns])
    order = np.argsort(price[columns]).tolist()
    chains = [chain for size in range(1, len(columns) + 1) for chain in combinations(order, size)]
    read = [point for chain in chains for point in _read(chain, own, said)]
    voted = [point for chain in chains for point in _voted(chain, lesson, own, found.quality[:, columns], said)]
    return np.array(read), np.array(voted)


def _read(chain: tuple[int, ...], own: RoutingDataset, said: Said) -> Iterator[tuple[float, float]]:
    """Yield the points of a chain that stops at the first answer which reads well enough."""
    yield from _stopped(chain, own, said.worth[:, chain], own.quality[:, chain])


def _voted(
    chain: tuple[int, ...], lesson: Lesson, own: RoutingDataset, quality: np.ndarray, said: Said
) -> Iterator[tuple[float, float]]:
    """Yield the points of a chain that stops where the best answer so far is likely enough to be right."""
    sure, came = np.zeros((len(own), len(chain))), np.zeros((len(own), len(chain)))
    for i in range(len(chain)):
        subset = sum(1 << j for j in chain[: i + 1])
        belief = lesson.posterior.read(subset, informed(subset, quality, said.worth), said.codes)
        sure[:, i] = belief.probability
        speaker = np.where(belief.support, said.worth, -np.inf).argmax(axis=1)
        speaker = np.where(belief.code >= 0, speaker, chain[i])
        came[:, i] = own.quality[np.arange(len(own)), speaker]
    yield from _stopped(chain, own, sure, came)


def _stopped(
    chain: tuple[int, ...], own: RoutingDataset, sure: np.ndarray, came: np.ndarray
) -> Iterator[tuple[float, float]]:
    """Yield mean cost and quality at each threshold."""
    rows, paid = np.arange(len(own)), np.cumsum(own.cost_usd[:, chain], axis=1)
    for threshold in _GRID if len(chain) > 1 else _GRID[:1]:
        enough = sure >= threshold
        enough[:, -1] = True
        stop = enough.argmax(axis=1)
        yield float(paid[rows, stop].mean()), float(came[rows, stop].mean())
