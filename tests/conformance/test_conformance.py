"""Every registered component, alone and inside a router, satisfies every check of its kind."""

from __future__ import annotations

from typing import Any

from pointsman.config import registered
from pointsman.testing import parametrize_with_checks, registered_examples
from pointsman.testing.cases import Case, case_of
from pointsman.testing.checks import CHECKS, Check
from pointsman.testing.saboteurs import HONEST
from pointsman.testing.suite import checks_for

EXAMPLES = registered_examples()
HONEST_EXAMPLES = [example for cls in HONEST for example in cls.examples()]


@parametrize_with_checks([*EXAMPLES, *HONEST_EXAMPLES])
def test_conformance(case: Case[Any], check: Check) -> None:
    """The component satisfies the check."""
    check(case)


def test_every_registered_component_is_covered() -> None:
    """Each name that a configuration may use has an example here."""
    assert {type(example).__name__ for example in EXAMPLES} == set(registered())


def test_every_check_is_used() -> None:
    """Each check concerns at least one registered component."""
    used = {check.__name__ for example in EXAMPLES for check in checks_for(case_of(example))}
    assert used == set(CHECKS)
