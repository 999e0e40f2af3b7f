"""Loading: what a saved route is loaded with, candidates and embedders, which no file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from dspy import BaseLM

from dspy_router.embedding import Embedder

__all__ = ["Supplies"]


@dataclass(frozen=True, slots=True)
class Supplies:
    """Candidates by name and embedders by name; None stands for those of the RouterLM that is in charge already.

    Copies of a program share them, and no pickle holds them.
    """

    lms: Mapping[str, BaseLM] | None = None
    embedders: Mapping[str, Embedder] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()
