"""From a model's metadata to the caller that reaches it: a function, an endpoint, or what an installed package registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import TypeAlias

from pointsman.callers.base import Caller
from pointsman.errors import ConfigError, choices
from pointsman.models import ModelPool, ModelSpec

__all__ = ["ENTRY_POINTS", "caller_of", "callers_of"]

ENTRY_POINTS = "pointsman.callers"
"""The entry-point group of factories `(ModelSpec) -> Caller`; an entry's name is the metadata key that it answers to."""

Factory: TypeAlias = Callable[[ModelSpec], Caller]

_BUILTIN: Mapping[str, str] = {
    "callable": "pointsman.callers.function",
    "endpoint": "pointsman.callers.openai_http",
}


def caller_of(spec: ModelSpec) -> Caller:
    """Return the caller of a model whose metadata says how to reach it.

    The metadata hold exactly one of "callable" ("module:function"), "endpoint" (a base URL) and the keys that installed
    packages register, such as "langchain".

    Raises:
        ConfigError: When there is none of them, more than one, or what it says is wrong.
    """
    plugins = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    ways = sorted(set(spec.metadata) & (set(_BUILTIN) | set(plugins)))
    if len(ways) != 1:
        found = f"has several: {choices(ways)}" if ways else f"has {choices(spec.metadata) or 'none'}"
        raise ConfigError(
            f"models.{spec.name}: metadata must say how to call it by one of {choices({*_BUILTIN, *plugins})}; it {found}."
        )
    (way,) = ways
    factory: Factory = import_module(_BUILTIN[way]).from_spec if way in _BUILTIN else plugins[way].load()
    return factory(spec)


def callers_of(pool: ModelPool, given: Mapping[str, Caller] | None = None) -> dict[str, Caller]:
    """Return a caller for every model of a pool: the one given, else the one its metadata names.

    Raises:
        ConfigError: Saying what is wrong with every model that cannot be called.
    """
    callers = dict(given or {})
    if unknown := set(callers) - set(pool):
        raise ConfigError(f"Callers are given for unknown model {choices(unknown)}; the pool has {choices(pool)}.")
    problems = []
    for name, spec in pool.items():
        if name in callers:
            continue
        try:
            callers[name] = caller_of(spec)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return callers
