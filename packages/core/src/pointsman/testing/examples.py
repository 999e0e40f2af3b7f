"""Examples: the instances of every registered component that the suite runs, alone and inside a router."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pointsman.components import Component
from pointsman.config import component_class, registered
from pointsman.estimators.base import Estimator
from pointsman.estimators.constant import Constant
from pointsman.policies.base import Policy
from pointsman.routers.estimated import EstimatedRouter

__all__ = ["examples_of", "registered_examples"]


def registered_examples(names: Iterable[str] | None = None) -> tuple[Component, ...]:
    """Return the examples of these components, or of all that are registered, ours and those of other distributions."""
    return tuple(example for name in names or registered() for example in examples_of(component_class(name)))


def examples_of(cls: type[Component]) -> Iterator[Component]:
    """Yield a class's own examples; estimators and policies are shown at work in a router too."""
    for example in cls.examples():
        yield example
        if isinstance(example, Estimator):
            yield EstimatedRouter(estimator=example)
        elif isinstance(example, Policy):
            yield EstimatedRouter(estimator=Constant(), policy=example)
