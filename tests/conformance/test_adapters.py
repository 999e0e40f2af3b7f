"""The checks of adapters: an honest adapter passes them all, and each is failed by one that breaks exactly what it checks."""

from __future__ import annotations

import ast
import inspect

import pytest

from pointsman.errors import ConfigError
from pointsman.testing import AdapterCase, adapter_checks_for, check_adapter
from pointsman.testing.adapters import ADAPTER_CHECKS, AdapterCheck
from pointsman.testing.adapters.toy import ToyDriver
from pointsman.testing.saboteurs.adapters import ADAPTER_SABOTEURS

MAX_LINES = 15
BREAKS = [(cls, name) for cls in ADAPTER_SABOTEURS for name in cls.breaks]


def label(value: object) -> str:
    """Return a class's name, or a check's."""
    return value.__name__ if isinstance(value, type) else str(value).removeprefix("check_")


@pytest.mark.parametrize("name", ADAPTER_CHECKS, ids=label)
def test_an_honest_adapter_passes(name: str) -> None:
    """The toy framework's adapter satisfies the check."""
    ADAPTER_CHECKS[name](AdapterCase(ToyDriver()))


@pytest.mark.parametrize(("cls", "name"), BREAKS, ids=label)
def test_a_saboteur_is_found_out(cls: type[ToyDriver], name: str) -> None:
    """The check that a saboteur breaks fails with a finding of its own rather than an accident."""
    with pytest.raises(AssertionError):
        ADAPTER_CHECKS[name](AdapterCase(cls()))


def test_every_check_has_a_saboteur() -> None:
    """No check stands without an adapter that fails it, and every saboteur breaks something."""
    assert {name for _, name in BREAKS} == set(ADAPTER_CHECKS)
    assert all(cls.breaks for cls in ADAPTER_SABOTEURS)


@pytest.mark.parametrize("check", ADAPTER_CHECKS.values(), ids=lambda check: check.__name__)
def test_a_check_is_one_fact(check: AdapterCheck) -> None:
    """A check takes a case, states its fact in one paragraph, and needs at most fifteen lines for it."""
    definition = ast.parse(inspect.getsource(check)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    _, *body = definition.body
    assert list(inspect.signature(check).parameters) == ["case"]
    assert "\n\n" not in (inspect.getdoc(check) or "\n\n")
    assert (body[-1].end_lineno or 0) - body[0].lineno + 1 <= MAX_LINES


def test_all_checks_run_at_once() -> None:
    """`check_adapter` passes an honest adapter, collects what a saboteur fails, and holds expected failures to it."""
    check_adapter(ToyDriver())
    blabs = next(cls for cls in ADAPTER_SABOTEURS if "check_no_key_is_serialised" in cls.breaks)
    with pytest.raises(ExceptionGroup, match="Blabs fails 1 checks"):
        check_adapter(blabs())
    check_adapter(blabs(), expected_failures={"check_no_key_is_serialised": "it is a saboteur"})
    with pytest.raises(ExceptionGroup, match="fails 1 checks"):
        check_adapter(ToyDriver(), expected_failures={"check_ways_agree": "no reason at all"})
    with pytest.raises(ConfigError, match="There is no check 'check_nothing'"):
        check_adapter(ToyDriver(), expected_failures={"check_nothing": "why"})


def test_a_framework_without_spans_is_not_asked_for_them() -> None:
    """What a framework has not, its adapter is not held to."""

    class Flat(ToyDriver):
        nests = False

    names = {check.__name__ for check in adapter_checks_for(AdapterCase(Flat()))}
    assert names == set(ADAPTER_CHECKS) - {"check_events_are_nested"}
