"""Testing: the conformance suite for components of your own, fake models, and toy data; imported when first used.

`check_router(MyRouter())` runs every check of a router; `parametrize_with_checks` makes a pytest test of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman.testing.adapters import AdapterCase, AdapterDriver, Watched
    from pointsman.testing.examples import registered_examples
    from pointsman.testing.fakes import FakeModels
    from pointsman.testing.suite import (
        adapter_checks_for,
        check_adapter,
        check_component,
        check_confidence,
        check_estimator,
        check_features,
        check_policy,
        check_router,
        parametrize_with_checks,
    )
    from pointsman.testing.toys import toy, toy_pool

_HOME = {
    "AdapterCase": "adapters",
    "AdapterDriver": "adapters",
    "FakeModels": "fakes",
    "Watched": "adapters",
    "adapter_checks_for": "suite",
    "check_adapter": "suite",
    "check_component": "suite",
    "check_confidence": "suite",
    "check_estimator": "suite",
    "check_features": "suite",
    "check_policy": "suite",
    "check_router": "suite",
    "parametrize_with_checks": "suite",
    "registered_examples": "examples",
    "toy": "toys",
    "toy_pool": "toys",
}

__all__ = [
    "AdapterCase",
    "AdapterDriver",
    "FakeModels",
    "Watched",
    "adapter_checks_for",
    "check_adapter",
    "check_component",
    "check_confidence",
    "check_estimator",
    "check_features",
    "check_policy",
    "check_router",
    "parametrize_with_checks",
    "registered_examples",
    "toy",
    "toy_pool",
]


def __getattr__(name: str) -> Any:
    """Import a public name's module when the name is first asked for."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
