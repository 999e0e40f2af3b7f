"""Controls: on outcomes that no query can tell, a router must gain nothing; what it gains there is a leak or luck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError
from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.pooling import over_trials
from pointsman.evaluation.protocols.trial import Bootstrap, Parts, Trial, quality_first, stream
from pointsman.metrics import Interval
from pointsman.routers.base import Router

__all__ = ["Control", "Controls", "controls", "random_queries", "shuffled_outcomes"]

Spoil = Callable[[RoutingDataset, int], RoutingDataset]
_WORDS = 512  # a vocabulary small enough that its words repeat, as real ones do
_LENGTHS = (8, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A router's gain on one kind of data, over repeats.

    Parameters:
        name: "as they are", "shuffled outcomes" or "random queries".
        aiq_gain: AIQ above the Zero router, interval over repeats; None where costs are unknown.
        difference: Quality above the best single model, at best expected quality.
        aiq_gains, differences: The figures of each repeat.
    """

    name: str
    aiq_gain: Interval | None
    difference: Interval | None
    aiq_gains: tuple[float | None, ...]
    differences: tuple[float | None, ...]

    @property
    def above_zero(self) -> bool:
        """Whether a gain is shown: the interval of the AIQ gain, or of the difference without one, lies above 0."""
        found = self.difference if self.aiq_gain is None else self.aiq_gain
        return found is not None and found.low > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """A router's gain on the data as they are, beside what it gains where there is nothing to learn.

    Parameters:
        level: Coverage of the intervals.
        repeats: Splits, and for the controls shuffles, of each kind.
        real, shuffled, random: The gain as it is, with outcomes permuted across queries, and with queries of random words.
    """

    level: float
    repeats: int
    real: Control
    shuffled: Control
    random: Control

    @property
    def leaks(self) -> bool:
        """Whether a control shows a gain, which no honest evaluation of an honest router can."""
        return self.shuffled.above_zero or self.random.above_zero

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = {**plain(self), "leaks": self.leaks}
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.protocols.tables import controls_text

        return controls_text(self)


def controls(
    router: Router,
    dataset: RoutingDataset,
    *,
    repeats: int = 5,
    level: float = 0.95,
    random_state: int = 0,
) -> Controls:
    """Return a router's gain over the Zero router where queries tell something, and on two controls where they cannot.

    A router that does as well with shuffled outcomes or random features has learnt which model is most often right, and
    nothing of the query (2605.07395). The controls must not be above 0; a little below is what fitting noise costs. Each repeat
    is another split into 60, 20 and 20 %, the same for all three kinds of data.

    Args:
        router: An unfitted router; its policy is set to best expected quality.
        dataset: Outcomes.
        repeats: How often, at least 2.
        level: Coverage of the intervals over repeats.
        random_state: The seed of everything.

    Raises:
        ConfigError: A number is out of range.
        DataError: The data are too few to be split.
    """
    if repeats < 2:  # noqa: PLR2004 - one has no spread
        raise ConfigError(f"repeats must be at least 2, got {repeats}.")
    bootstrap, data = Bootstrap(level=level, draws=100, random_state=random_state), dataset.canonical()
    first = quality_first(router)

    def control(name: str, spoil: Spoil) -> Control:
        seeds = range(random_state, random_state + repeats)
        parts = (Parts.of(spoil(data, seed), seed).observed()[0] for seed in seeds)
        trials = [Trial.of(first, part, bootstrap) for part in parts]
        gains, differences = [trial.gain for trial in trials], [known_mean(trial.difference) for trial in trials]
        return Control(
            name=name,
            aiq_gain=over_trials(gains, level),
            difference=over_trials(differences, level),
            aiq_gains=tuple(gains),
            differences=tuple(differences),
        )

    return Controls(
        level=level,
        repeats=repeats,
        real=control("as they are", lambda data, _seed: data),
        shuffled=control("shuffled outcomes", shuffled_outcomes),
        random=control("random queries", random_queries),
    )


def shuffled_outcomes(data: RoutingDataset, random_state: int) -> RoutingDataset:
    """Return the data with whole rows of outcomes permuted across queries; each model's figures stay what they are.

    Queries keep their groups, so the control's splits are as large as those of the data.
    """
    # Not the split's own numbers: it would follow the order of the rows instead of chance.
    order = np.random.default_rng(stream(random_state, "shuffle")).permutation(len(data))
    return replace(data, queries=data.queries.take(order), groups=data.group_of[order])


def random_queries(data: RoutingDataset, random_state: int) -> RoutingDataset:
    """Return the data with random words, vectors and domains in the place of what was asked; equal texts stay equal.

    Domains are permuted across queries, so that a label says as little as the words do.
    """
    queries, rng = data.queries, np.random.default_rng(stream(random_state, "domains"))
    order = rng.permutation(len(data))
    texts = {text: _words(text, random_state) for text in sorted(set(queries.texts))}
    vectors = queries.embeddings
    if vectors is not None:
        drawn = {text: _vector(text, random_state, vectors.shape[1]) for text in texts}
        vectors = np.array([drawn[text] for text in queries.texts])
    made = Queries(
        texts=tuple(texts[text] for text in queries.texts),
        ids=queries.ids,
        domains=tuple(queries.domains[i] for i in order),
        embeddings=vectors,
    )
    return replace(data, queries=made, groups=data.group_of)


def _seeded(text: str, random_state: int) -> np.random.Generator:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng([random_state, int.from_bytes(digest, "big")])


def _words(text: str, random_state: int) -> str:
    rng = _seeded(text, random_state)
    return " ".join(f"w{number}" for number in rng.integers(_WORDS, size=rng.integers(*_LENGTHS)))


def _vector(text: str, random_state: int, size: int) -> np.ndarray:
    drawn = _seeded(text, random_state + 1).standard_normal(size)
    return drawn / max(float(np.linalg.norm(drawn)), 1e-12)
