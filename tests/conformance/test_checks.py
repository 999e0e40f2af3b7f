"""Checks are plain: a name that says what holds, one fact in the docstring, a few lines, one case."""

from __future__ import annotations

import ast
import inspect

import pytest

from pointsman.testing.checks import CHECKS, GROUPS, Check

MAX_LINES = 15


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.__name__)
def test_a_check_is_one_fact(check: Check) -> None:
    """A check takes a case, states its fact in one paragraph, and needs at most fifteen lines for it."""
    definition = ast.parse(inspect.getsource(check)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    _, *body = definition.body
    lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
    assert list(inspect.signature(check).parameters) == ["case"]
    assert "\n\n" not in (inspect.getdoc(check) or "\n\n")
    assert check.__name__.startswith("check_")
    assert lines <= MAX_LINES


def test_names_are_told_apart() -> None:
    """No two groups have a check of the same name."""
    assert sum(map(len, GROUPS.values())) == len(CHECKS)
