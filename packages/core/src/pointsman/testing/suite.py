"""The suite: which checks concern a component, running them, and failures that are expected for a written reason."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pointsman.components import Component
from pointsman.confidence.base import Confidence
from pointsman.errors import ConfigError, MissingExtraError, choices
from pointsman.estimators.base import Estimator
from pointsman.features.base import Features
from pointsman.policies.base import Policy
from pointsman.routers.base import Router
from pointsman.testing.adapters import ADAPTER_CHECKS, AdapterCase, AdapterCheck, AdapterDriver
from pointsman.testing.cases import Case, case_of
from pointsman.testing.checks import CHECKS, GROUPS, Check
from pointsman.testing.fresh import FreshProcess

if TYPE_CHECKING:
    import pytest

__all__ = [
    "adapter_checks_for",
    "check_adapter",
    "check_component",
    "check_confidence",
    "check_estimator",
    "check_features",
    "check_policy",
    "check_router",
    "checks_for",
    "parametrize_with_checks",
]

NONE_EXPECTED: Mapping[str, str] = {}


def checks_for(case: Case[Any], groups: Iterable[str] | None = None) -> tuple[Check, ...]:
    """Return the checks that concern a case, of some groups or of all."""
    wanted = tuple(GROUPS) if groups is None else tuple(groups)
    if unknown := set(wanted) - set(GROUPS):
        raise ConfigError(f"There is no group of checks {choices(unknown)}; there are {choices(GROUPS)}.")
    return tuple(check for group in wanted for check in GROUPS[group] if _concerns(check, case))


def _concerns(check: Check, case: Any) -> bool:
    hint = inspect.get_annotations(check, eval_str=True)["case"]
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    applies: Callable[[Any], bool] = getattr(check, "applies", lambda _: True)
    return isinstance(case, tuple(get_origin(kind) or kind for kind in kinds)) and applies(case)


def check_component(
    component: Component,
    *,
    groups: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] = NONE_EXPECTED,
) -> None:
    """Run every check that concerns a component.

    Args:
        component: An instance; it is cloned, and never fitted itself.
        groups: Groups of checks to run; None runs all.
        expected_failures: Check name -> why it fails. A check that passes all the same is a failure too.

    Raises:
        ExceptionGroup: With the error of each check that failed, or passed against expectation.
        ConfigError: For a component of a kind without checks, a check that does not exist, or an empty reason.
    """
    _validate(expected_failures)
    case = case_of(component)
    errors = [error for check in checks_for(case, groups) if (error := _outcome(check, case, expected_failures))]
    if errors:
        raise ExceptionGroup(f"{component!r} fails {len(errors)} checks", errors)


def _outcome(check: Check, case: Any, expected: Mapping[str, str]) -> Exception | None:
    """Run one check; return what is wrong, or None."""
    name = check.__name__
    try:
        check(case)
    except Exception as error:  # noqa: BLE001 - whatever a component raises is a finding
        if name in expected:
            return None
        error.add_note(f"{name}: {inspect.getdoc(check)}")
        return error
    if name in expected:
        return AssertionError(f"{name} passes, although it was expected to fail: {expected[name]}")
    return None


def _validate(expected: Mapping[str, str], known: Iterable[str] = CHECKS) -> None:
    if unknown := set(expected) - set(known):
        raise ConfigError(f"There is no check {choices(unknown)}; there are {choices(known)}.")
    if silent := {name for name, reason in expected.items() if not reason.strip()}:
        raise ConfigError(f"The expected failure of {choices(silent)} needs a reason.")


def check_adapter(driver: AdapterDriver, *, expected_failures: Mapping[str, str] = NONE_EXPECTED) -> None:
    """Run every check of a framework's adapter, behind its driver; see `check_component`."""
    _validate(expected_failures, ADAPTER_CHECKS)
    case = AdapterCase(driver)
    checks = adapter_checks_for(case)
    errors = [error for check in checks if (error := _outcome(check, case, expected_failures))]
    if errors:
        raise ExceptionGroup(f"{case!r} fails {len(errors)} checks", errors)


def adapter_checks_for(case: AdapterCase) -> tuple[AdapterCheck, ...]:
    """Return the checks that concern an adapter, as tests run them one by one."""
    return tuple(check for check in ADAPTER_CHECKS.values() if _concerns(check, case))


def check_router(router: Router, *, expected_failures: Mapping[str, str] = NONE_EXPECTED) -> None:
    """Run every check of a router; see `check_component`."""
    check_component(router, expected_failures=expected_failures)


def check_estimator(estimator: Estimator, *, expected_failures: Mapping[str, str] = NONE_EXPECTED) -> None:
    """Run every check of an estimator; see `check_component`."""
    check_component(estimator, expected_failures=expected_failures)


def check_policy(policy: Policy, *, expected_failures: Mapping[str, str] = NONE_EXPECTED) -> None:
    """Run every check of a policy; see `check_component`."""
    check_component(policy, expected_failures=expected_failures)


def check_confidence(confidence: Confidence, *, expected_failures: Mapping[str, str] = NONE_EXPECTED) -> None:
    """Run every check of a confidence; see `check_component`."""
    check_component(confidence, expected_failures=expected_failures)


def check_features(features: Features, *, expected_failures: Mapping[str, str] = NONE_EXPECTED) -> None:
    """Run every check of a feature map; see `check_component`."""
    check_component(features, expected_failures=expected_failures)


def parametrize_with_checks(
    components: Iterable[Component],
    *,
    expected_failures: Callable[[Component], Mapping[str, str]] = lambda _: NONE_EXPECTED,
) -> pytest.MarkDecorator:
    """Return a pytest mark that runs a test of (case, check) for every component and every check that concerns it.

    Expected failures become strict xfail marks, so an unexpected pass fails the test. All components share one fresh process.

    >>> from pointsman.estimators.constant import Constant
    >>> @parametrize_with_checks([Constant()])
    ... def test_conformance(case, check):
    ...     check(case)
    """
    try:
        import pytest
    except ImportError as error:
        raise MissingExtraError("pytest", "dev") from error
    process = FreshProcess()
    rows = []
    for component in components:
        expected = expected_failures(component)
        _validate(expected)
        case = case_of(component, process)
        for check in checks_for(case):
            name = check.__name__
            marks = [pytest.mark.xfail(reason=expected[name], strict=True)] if name in expected else []
            rows.append(pytest.param(case, check, marks=marks, id=f"{_label(component)}-{name.removeprefix('check_')}"))
    return pytest.mark.parametrize(("case", "check"), rows)


def _label(component: Component) -> str:
    """Return the names of a component's class and of its parts' classes."""
    inside = [_label(value) for value in component.params().values() if isinstance(value, Component)]
    return type(component).__name__ + (f"({', '.join(inside)})" if inside else "")
