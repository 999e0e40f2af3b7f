"""Saving: a RouterLM, and the route of a predictor, as plain data: the router as an artefact, the candidates without keys."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from dspy import BaseLM

from dspy_router.checking import CheckedRouter
from dspy_router.loading import Supplies
from pointsman.artifacts import dumps, loads
from pointsman.errors import ConfigError, choices
from pointsman.routers.base import Router

__all__ = [
    "CLASS_KEY",
    "candidates_from",
    "checked_home",
    "chooser_from",
    "public",
    "restored",
    "route_state",
    "router_from",
    "router_state",
]

CLASS_KEY = "_dspy_lm_class"
"""Where DSPy keeps the class of a saved language model."""

_FIELDS = "routed_on"
_SECRET = re.compile(r"key$|authorization|credential|headers|password|secret|token$", re.IGNORECASE)


def public(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that hold keys by their name, at any depth.

    >>> public({"api_key": "x", "max_tokens": 9, "launch_kwargs": {"hub_token": "y"}})
    {'max_tokens': 9, 'launch_kwargs': {}}
    """
    shown = {name: value for name, value in settings.items() if not _SECRET.search(name)}
    return {name: public(value) if isinstance(value, Mapping) else value for name, value in shown.items()}


def router_state(router: Router, lms: Mapping[str, BaseLM]) -> dict[str, Any]:
    """Return a router and the candidates as JSON data."""
    return {
        "router": b64encode(dumps(router)).decode(),
        "lms": {name: public(lm.dump_state()) for name, lm in lms.items()},
    }


def router_from(state: Mapping[str, Any]) -> Router:
    """Return the router of a saved RouterLM; reading it runs no code of its own."""
    found = loads(b64decode(state["router"]), classes=(CheckedRouter,))
    if not isinstance(found, Router):
        raise ConfigError(f"The saved route holds a {type(found).__name__}, not a router.")
    return found


def candidates_from(state: Mapping[str, Any], *, trusted: bool) -> dict[str, BaseLM]:
    """Return the candidates of a saved RouterLM, which take their keys from where DSPy looks for them."""
    return {name: BaseLM.load_state(dict(saved), allow_custom_lm_class=trusted) for name, saved in state["lms"].items()}


def route_state(state: dict[str, Any], on: Sequence[str] | None) -> dict[str, Any]:
    """Return a predictor's state that only a RoutedPredict can load, as another would not route on its fields."""
    state["route_on"] = None if on is None else list(on)
    if state["lm"] is not None and "router" in state["lm"]:
        state["lm"] = {**state["lm"], _FIELDS: state["route_on"]}
    return state


def restored(
    state: Mapping[str, Any], supplies: Supplies, current: Any, *, trusted: bool
) -> tuple[dict[str, Any], Any]:
    """Return a predictor's state without its route, and the RouterLM of that route; None if it has none.

    Raises:
        ConfigError: If candidates are missing: neither given, nor those of the file trusted.
    """
    saved = state.get("lm")
    if saved is None or "router" not in saved:
        return dict(state), None
    return {**state, "lm": None}, chooser_from(saved, supplies, current, trusted=trusted)


def chooser_from(saved: Mapping[str, Any], supplies: Supplies, current: Any, *, trusted: bool) -> Any:
    """Return the RouterLM that was saved, over the candidates given, or those of the current one, or those of the file."""
    from dspy_router.router_lm import RouterLM

    known = isinstance(current, RouterLM)
    given = supplies.lms if supplies.lms is not None else current.lms if known else None
    embedders = supplies.embedders if supplies.embedders is not None else current.embedders if known else None
    if given is None and not trusted:
        raise ConfigError(
            f"The candidates of a saved route, {choices(saved['lms'])}, are language models with addresses of their own: "
            "give yours as lms={...} before loading, or pass allow_unsafe_lm_state=True for a trusted file."
        )
    own = {name: value for name, value in saved.items() if name not in (CLASS_KEY, _FIELDS)}
    return RouterLM.restored(own, given, embedders, trusted=trusted)


def checked_home(state: Mapping[str, Any]) -> None:
    """Raise ConfigError for the route of a RoutedPredict that is loaded into another predictor."""
    if _FIELDS in state:
        raise ConfigError(
            "This route is a RoutedPredict's, chosen for its input fields; wrap the program by routed(program) "
            "before loading its state."
        )
