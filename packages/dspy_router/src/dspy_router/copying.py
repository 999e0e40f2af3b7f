"""Copying: a candidate for one call alone, sharing its clients, with a history, callbacks and options of its own."""

from __future__ import annotations

from functools import cache
from types import MemberDescriptorType
from typing import Any

from dspy import LM, BaseLM

__all__ = ["copied"]


def copied(lm: Any) -> Any:
    """Return `lm.copy()`, by a shorter way where the class copies as DSPy's own do."""
    kind: Any = type(lm)
    if not _plain(kind):
        return lm.copy()
    twin = object.__new__(kind)
    own = twin.__dict__
    own.update(lm.__dict__)
    own["history"], own["callbacks"], own["kwargs"] = [], list(lm.callbacks), dict(lm.kwargs)
    own["_warned_zero_temp_rollout"] = False
    return twin


@cache
def _plain(kind: Any) -> bool:
    """Tell whether instances hold everything in their `__dict__`, and nothing of their copying is overridden."""
    usual = getattr(kind, "copy", None) in (LM.copy, BaseLM.copy)
    same = getattr(kind, "__copy__", None) in (getattr(LM, "__copy__", None), getattr(BaseLM, "__copy__", None))
    slots = any(isinstance(one, MemberDescriptorType) for base in kind.__mro__ for one in vars(base).values())
    return usual and same and not slots and hasattr(kind, "__dict__")
