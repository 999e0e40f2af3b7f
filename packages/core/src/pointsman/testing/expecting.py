"""Expectations that checks share: equal up to rounding, and an error of the right kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pointsman.testing.plain import differences

__all__ = ["expect_error", "expect_same"]

E = TypeVar("E", bound=BaseException)


def expect_same(found: Any, expected: Any, fact: str, *, tolerance: float = 0.0) -> None:
    """Fail with the fact and the first differences unless two pieces of plain data agree."""
    different = differences(found, expected, tolerance=tolerance)
    assert not different, "\n".join([f"{fact}; {len(different)} differences:", *different[:5]])


def expect_error(kind: type[E], act: Callable[[], object], fact: str) -> E:
    """Return the error of this kind that an act raises; fail with the fact when it raises another or none."""
    try:
        done = act()
    except kind as error:
        return error
    except Exception as error:
        raise AssertionError(f"{fact}: expected {kind.__name__}, got {error!r}") from error
    raise AssertionError(f"{fact}: expected {kind.__name__}, got {done!r}")
