"""Candidates: the language models a router may choose from, and what they can all do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, TypeVar

from dspy import BaseLM

from pointsman.errors import ConfigError, choices
from pointsman.models import ModelPool

__all__ = ["candidates_of", "shared_by", "shared_params"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


def candidates_of(lms: Any, pool: ModelPool) -> dict[str, BaseLM]:
    """Return the language models by name: the user's own objects.

    Of those that the router never chooses, such as a model that it left out when it was fitted, a warning is logged.

    Raises:
        ConfigError: If there are none, one is not a language model, or one of the pool is missing.
    """
    if not isinstance(lms, Mapping) or not lms:
        raise ConfigError(f"lms must map at least one name to a dspy.LM, got {lms!r}.")
    for name, lm in lms.items():
        if not isinstance(lm, BaseLM):
            raise ConfigError(f"lms[{name!r}] must be a dspy.LM, got {lm!r}.")
    if lacking := set(pool) - set(lms):
        raise ConfigError(
            f"The router may choose {choices(lacking)}, for which lms has no language model; it has {choices(lms)}."
        )
    if unknown := set(lms) - set(pool):
        _log.warning("lms has %s, which the router never chooses; it chooses from %s.", choices(unknown), choices(pool))
    return dict(lms)


def shared_by(lms: Iterable[BaseLM], able: Callable[[BaseLM], bool]) -> bool:
    """Tell whether every candidate is able: DSPy plans a call before it is known who answers."""
    return all(able(lm) for lm in lms)


def shared_params(lms: Iterable[BaseLM]) -> set[str]:
    """Return the parameters that every candidate supports."""
    return reduce(set[str].intersection, (set(lm.supported_params) for lm in lms))
