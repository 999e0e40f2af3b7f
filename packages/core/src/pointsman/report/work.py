"""Work: the parts of the data that a report rests on, and the settings that all of its pieces have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.reference import Reference, reference_of
from pointsman.evaluation.resampling import Resampling
from pointsman.evaluation.scoring import Board

__all__ = ["Parts", "Progress", "Settings"]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `build_report` was told, but for the data and the router."""

    margin: float
    level: float
    draws: int
    random_state: int
    source: str | None
    on_progress: Progress

    @property
    def of_intervals(self) -> Mapping[str, Any]:
        """The level, the draws and their seed, by the names that evaluation has for them."""
        return {"level": self.level, "draws": self.draws, "random_state": self.random_state}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """Data to fit on, to choose settings on and to measure on; None where there are none."""

    train: RoutingDataset | None
    validation: RoutingDataset | None
    test: RoutingDataset

    @property
    def sizes(self) -> dict[str, int]:
        """The number of queries in each part."""
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        return {name: len(part) for name, part in parts.items() if part is not None}

    @property
    def reference(self) -> Reference:
        """On which data the baselines are chosen, and which ones they are."""
        return reference_of(self.test, self.train, self.validation)

    def board(self, settings: Settings) -> Board:
        """Return what methods are scored against on the test queries."""
        resampling = Resampling(group=self.test.group_of, draws=settings.draws, random_state=settings.random_state)
        return Board.of(self.test, self.reference, self.validation, resampling=resampling, level=settings.level)
