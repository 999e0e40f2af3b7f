"""Every check is failed by a component that breaks exactly what it checks: a check that finds nothing proves nothing."""

from __future__ import annotations

import pytest

from pointsman.components import Component
from pointsman.testing.cases import case_of
from pointsman.testing.checks import CHECKS
from pointsman.testing.fresh import FreshProcess
from pointsman.testing.saboteurs import SABOTEURS
from pointsman.testing.suite import checks_for

PROCESS = FreshProcess()
CASES = {cls: case_of(cls.examples()[0], PROCESS) for cls in SABOTEURS}
BREAKS = [(cls, name) for cls in SABOTEURS for name in cls.breaks]


def label(value: object) -> str:
    """Return a class's name, or a check's."""
    return value.__name__ if isinstance(value, type) else str(value).removeprefix("check_")


@pytest.mark.parametrize(("cls", "name"), BREAKS, ids=label)
def test_a_saboteur_is_found_out(cls: type[Component], name: str) -> None:
    """The check that a saboteur breaks concerns it, and fails with a finding of its own rather than an accident."""
    check = CHECKS[name]
    assert check in checks_for(CASES[cls])
    with pytest.raises(AssertionError):
        check(CASES[cls])


def test_every_check_has_a_saboteur() -> None:
    """No check stands without a component that fails it."""
    assert {name for _, name in BREAKS} == set(CHECKS)


def test_every_saboteur_breaks_something() -> None:
    """No saboteur stands without a check that it fails."""
    assert [cls.__name__ for cls in SABOTEURS if not cls.breaks] == []
