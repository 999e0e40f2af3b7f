"""Naming: which of a router's models each of the choices is."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core.tools import ToolMetadata

from pointsman.errors import ConfigError, choices
from pointsman.models import ModelPool

__all__ = ["names_of"]

_REMEDY = "RouterSelector(..., names=[...]) names the choices in order."


def names_of(offered: Sequence[ToolMetadata], given: Sequence[str] | None, pool: ModelPool) -> list[str]:
    """Return the choices' names in order: the given ones, or those of the tools.

    Raises:
        ConfigError: If a choice has no name or shares one, or one of the pool is not offered.
    """
    if given is not None and len(given) != len(offered):
        raise ConfigError(f"RouterSelector has {len(given)} names ({choices(given)}) for {len(offered)} choices.")
    names = [choice.name for choice in offered] if given is None else list(given)
    known = [name for name in names if name]
    if len(known) < len(names):
        unnamed = [place for place, name in enumerate(names) if not name]
        raise ConfigError(f"The choices at {unnamed} have no name; {_REMEDY}")
    if repeated := {name for name in known if known.count(name) > 1}:
        raise ConfigError(f"More than one choice is named {choices(repeated)}; {_REMEDY}")
    if lacking := set(pool) - set(known):
        raise ConfigError(
            f"The router may choose {choices(lacking)}, which is not offered (there is {choices(known)}); {_REMEDY}"
        )
    return known
