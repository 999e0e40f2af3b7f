"""Every example in a docstring of the core says what happens."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import pointsman

NEEDS = {"pointsman.prices_genai": "genai_prices", "pointsman.testing.strategies": "hypothesis"}
MODULES = sorted(found.name for found in pkgutil.walk_packages(pointsman.__path__, "pointsman."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name: str) -> None:
    """The module's examples print what they say."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert found.failed == 0
