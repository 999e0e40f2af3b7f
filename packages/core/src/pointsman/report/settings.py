"""Settings: what all pieces of a report have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.evaluation.protocols.trial import Bootstrap

__all__ = ["Progress", "Settings"]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `build_report` was told, but for the data and the router."""

    margin: float
    bootstrap: Bootstrap
    source: str | None
    on_progress: Progress

    @property
    def of_intervals(self) -> Mapping[str, Any]:
        """The level, the draws and their seed, by the names that evaluation has for them."""
        drawn = self.bootstrap
        return {"level": drawn.level, "draws": drawn.draws, "random_state": drawn.random_state}
