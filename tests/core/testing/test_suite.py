"""The suite: findings are collected, expected failures need a reason, and an unexpected pass is a failure."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.components import Component
from pointsman.errors import ConfigError
from pointsman.testing import (
    check_component,
    check_estimator,
    check_features,
    check_policy,
    check_router,
    parametrize_with_checks,
)
from pointsman.testing.cases import case_of
from pointsman.testing.checks import GROUPS
from pointsman.testing.saboteurs.decisions import GivesNoReason
from pointsman.testing.saboteurs.honest import HonestEstimator, HonestFeatures, HonestPolicy, HonestRouter
from pointsman.testing.suite import checks_for

REASON = {"check_decisions_give_a_reason": "its reasons are kept elsewhere"}


class Bystander(Component):
    """A component of a kind that has no checks."""


def test_each_entry_point_runs_its_kind() -> None:
    """Honest components pass through the entry point of their kind."""
    check_router(HonestRouter())
    check_estimator(HonestEstimator())
    check_policy(HonestPolicy())
    check_features(HonestFeatures())


def test_every_finding_is_reported_with_its_fact() -> None:
    """What fails is raised together, each error with the name of the check and what should hold."""
    with pytest.raises(ExceptionGroup, match="GivesNoReason") as raised:
        check_router(GivesNoReason())
    (finding,) = raised.value.exceptions
    assert "gives no reason" in str(finding)
    assert finding.__notes__ == ["check_decisions_give_a_reason: Every decision says why, in words."]


def test_an_expected_failure_is_no_finding() -> None:
    """A check that fails for a written reason is accepted."""
    check_router(GivesNoReason(), expected_failures=REASON)


def test_an_unexpected_pass_is_a_finding() -> None:
    """A check that passes although it was expected to fail is reported with the reason that no longer holds."""
    with pytest.raises(ExceptionGroup) as raised:
        check_router(HonestRouter(), expected_failures=REASON)
    (finding,) = raised.value.exceptions
    assert "passes, although" in str(finding)
    assert "kept elsewhere" in str(finding)


def test_an_expected_failure_needs_a_reason() -> None:
    """An empty reason is refused."""
    with pytest.raises(ConfigError, match="needs a reason"):
        check_router(HonestRouter(), expected_failures={"check_decisions_give_a_reason": " "})


def test_an_expected_failure_names_a_check() -> None:
    """A check that does not exist is refused, with the ones that do."""
    with pytest.raises(ConfigError, match=r"no check 'check_luck'; there are .*'check_threads_agree'"):
        check_router(HonestRouter(), expected_failures={"check_luck": "who knows"})


def test_groups_select_checks() -> None:
    """Only the checks of the named groups run; an unknown group is refused."""
    case = case_of(HonestRouter())
    chosen = checks_for(case, ["hygiene"])
    assert set(chosen) == set(GROUPS["hygiene"])
    check_component(GivesNoReason(), groups=["hygiene", "persistence"])
    with pytest.raises(ConfigError, match=r"no group of checks 'luck'"):
        checks_for(case, ["luck"])


def test_checks_concern_the_kind_they_are_annotated_for() -> None:
    """A feature map meets the checks of features and of all components, none of routers."""
    found = {check.__name__ for check in checks_for(case_of(HonestFeatures()))}
    assert "check_rows_are_float64" in found
    assert "check_use_repeats" in found
    assert not found & {check.__name__ for check in GROUPS["decisions"]}


def test_a_component_of_an_unknown_kind_is_refused() -> None:
    """A kind without checks is an error, never a silent pass."""
    with pytest.raises(ConfigError, match=r"no checks for Bystander; it is none of 'Confidence'"):
        check_component(Bystander())


def test_the_component_itself_is_never_fitted() -> None:
    """Checks work on clones."""
    router = HonestRouter()
    check_component(router, groups=["decisions", "learning"])
    assert router.state_ is None
    assert router.estimator.state_ is None


def test_parametrised_checks_mark_expected_failures() -> None:
    """Each check is one row with a readable id; an expected failure is a strict xfail with its reason."""
    mark = parametrize_with_checks([GivesNoReason()], expected_failures=lambda _: REASON).mark
    names, rows = mark.args
    marked = [row for row in rows if row.marks]
    assert names == ("case", "check")
    assert len(rows) == len(checks_for(case_of(GivesNoReason())))
    assert [row.id for row in marked] == [
        "GivesNoReason(HonestEstimator(HonestFeatures), HonestPolicy)-decisions_give_a_reason"
    ]
    (xfail,) = marked[0].marks
    assert xfail.kwargs == {"reason": "its reasons are kept elsewhere", "strict": True}


def test_examples_are_required_where_parameters_are() -> None:
    """A component with a parameter that has no default must say how it is shown."""

    class Needy(HonestFeatures):
        """Needs to be told something."""

        something: int

    with pytest.raises(ConfigError, match=r"Needy must define examples\(\): 'something' has no default"):
        Needy.examples()
    examples: tuple[Any, ...] = HonestFeatures.examples()
    assert [example.scale for example in examples] == [0.5]
