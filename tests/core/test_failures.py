"""What exceptions of providers mean."""

from __future__ import annotations

import pytest

from pointsman.errors import AllModelsFailedError, BudgetExceededError, PointsmanError
from pointsman.failures import Surfacing, error_names, never_sent, original_error, summary
from pointsman.types import CallError


class ConnectError(Exception):
    """Named like the error of a client that could not connect."""


def caused(cause: Exception | None) -> CallError:
    """Return a call's error with its cause."""
    error = CallError("small", "failed")
    error.__cause__ = cause
    return error


def test_names_include_those_of_bases() -> None:
    """An exception is known by its own name and by those it inherits."""
    assert {"ConnectError", "Exception"} <= error_names(ConnectError())


def test_what_was_never_sent_is_told_by_the_cause() -> None:
    """A connection that failed anywhere in the chain means that nothing was sent; a circle of causes ends."""
    outer = RuntimeError("no answer")
    assert not never_sent(outer)
    outer.__cause__ = ConnectError("refused")
    assert never_sent(outer)
    circle, other = ValueError(), ValueError()
    circle.__cause__, other.__cause__ = other, circle
    assert not never_sent(circle)


def test_a_summary_is_one_short_line() -> None:
    """A trace keeps the name and the first line, and not too much of it."""
    assert summary(ValueError("first\nsecond")) == "ValueError: first"
    assert summary(ValueError()) == "ValueError: "
    assert len(summary(ValueError("x" * 1000))) == 201


def test_the_last_providers_own_exception_surfaces() -> None:
    """Of several failures the last one's cause is raised, with a note on the others; without causes there is none."""
    first, last = ValueError("first"), ValueError("last")
    assert original_error(caused(first)) is first
    assert original_error(AllModelsFailedError([caused(first), caused(last)])) is last
    assert "first" not in "".join(getattr(first, "__notes__", []))
    assert "All models failed" in last.__notes__[0]
    assert original_error(BudgetExceededError("spent")) is None


def surfaced(error: PointsmanError) -> BaseException:
    """Return what comes out of a block that raises the error."""
    with pytest.raises(Exception) as caught, Surfacing():  # noqa: PT011 - whatever it is
        raise error
    return caught.value


def test_what_the_user_sees() -> None:
    """The last provider's exception is shown, with a note where several failed; without a provider, the core's error is."""
    first, last = ValueError("first"), ValueError("last")
    assert surfaced(caused(first)) is first
    assert not hasattr(first, "__notes__")
    everything = AllModelsFailedError([caused(first), caused(last), caused(BudgetExceededError("spent"))])
    assert surfaced(everything) is last
    assert last.__notes__ == [str(everything)]
    for bare in (CallError("m", "no"), BudgetExceededError("spent"), AllModelsFailedError([CallError("m", "no")])):
        assert surfaced(bare) is bare
