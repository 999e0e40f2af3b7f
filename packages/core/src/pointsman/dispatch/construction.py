"""Construction: what an adapter is given, a router, a dispatcher or the parts of one, as the dispatcher it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pointsman.dispatch.dispatcher import Dispatcher
from pointsman.errors import ConfigError, choices
from pointsman.routers.base import Router

__all__ = ["dispatcher_of", "named_embedder"]


def dispatcher_of(
    owner: str, router: Router | None, dispatcher: Dispatcher | None, parts: Mapping[str, Any]
) -> Dispatcher:
    """Return the dispatcher that was given, or one made of a router and its parts; those that are None are left out.

    Raises:
        ConfigError: If there is neither a router nor a dispatcher, or a dispatcher and anything that it has already.
    """
    given = {name: part for name, part in parts.items() if part is not None}
    if dispatcher is None:
        if router is None:
            raise ConfigError(f"{owner} needs a router, or a dispatcher that has one.")
        return Dispatcher(router, **given)
    if router is not None or given:
        both = [*given] if router is None else ["router", *given]
        raise ConfigError(f"{owner} got a dispatcher and also {choices(both)}, which the dispatcher has already.")
    return dispatcher


def named_embedder(embedders: Mapping[str, Any], name: str) -> Any:
    """Return the embedder of this name; ConfigError, with what there is, for one that is not there."""
    if name not in embedders:
        known = choices(embedders) or "none"
        raise ConfigError(f"The router asks for the embedder {name!r}; embedders has {known}.")
    return embedders[name]
