"""Objects named as "module:name", as configurations name a user's own code."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pointsman.errors import ConfigError, choices

__all__ = ["load"]


def load(reference: str) -> Callable[..., Any]:
    """Import what a reference names; it must be something to call.

    Raises:
        ConfigError: When the reference is no "module:name", or names nothing that can be called.

    >>> load("math:sqrt")(4)
    2.0
    """
    module_name, colon, path = reference.partition(":")
    if not (module_name and colon and path):
        raise ConfigError(f"{reference!r} must have the form 'module:name', such as 'my_models:ask'.")
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # the module is there, but imports something that is not
        raise ConfigError(f"{reference!r}: there is no module {error.name!r} on the import path.") from None
    for name in path.split("."):
        if not hasattr(found, name):
            public = [known for known in vars(found) if not known.startswith("_")]
            raise ConfigError(f"{reference!r}: {module_name} has no {name!r}; it has {choices(public)}.")
        found = getattr(found, name)
    if not callable(found):
        raise ConfigError(f"{reference!r} is a {type(found).__name__}; something to call is needed.")
    return found  # type: ignore[no-any-return]  # whatever it is, it can be called
