"""The candidates: the chat models a router may choose from, what they can do together, and what each one cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from importlib import import_module
from typing import Any

from langchain_core.language_models import BaseChatModel

from pointsman.errors import ConfigError, MissingExtraError, choices
from pointsman.models import ModelPool

__all__ = ["candidates_of", "check_pool", "inabilities", "joint_profile"]

_log = logging.getLogger(__name__)

_NEEDS = {
    "audio": ("audio_inputs",),
    "file": ("pdf_inputs",),
    "image": ("image_inputs",),
    "structured_output": ("structured_output", "tool_calling"),
    "tools": ("tool_calling",),
    "video": ("video_inputs",),
}
"""The capabilities that a request may need, and the flags of a profile of which any one provides it."""


def candidates_of(models: Any, *, output_version: str | None = None) -> dict[str, BaseChatModel]:
    """Return the chat models by name; text such as "openai:gpt-4o-mini" goes through LangChain's `init_chat_model`.

    They are the user's own objects, unless an `output_version` asks for copies that write another form of content.

    Raises:
        ConfigError: If there are none, or one is not a chat model.
        MissingExtraError: If one is text and langchain is not installed.
    """
    if not isinstance(models, Mapping) or not models:
        raise ConfigError(f"models must map at least one name to a chat model, got {models!r}.")
    candidates = {str(name): _candidate(str(name), model) for name, model in models.items()}
    if output_version is None:
        return candidates
    update = {"output_version": output_version}
    return {name: model.model_copy(update=update) for name, model in candidates.items()}


def _candidate(name: str, model: Any) -> BaseChatModel:
    made = _init_chat_model(model)(model) if isinstance(model, str) else model
    if not isinstance(made, BaseChatModel):
        raise ConfigError(f"models[{name!r}] must be a chat model, or text for init_chat_model; got {made!r}.")
    return made


def _init_chat_model(text: str) -> Callable[[str], Any]:
    try:
        found: Callable[[str], Any] = import_module("langchain.chat_models").init_chat_model
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"langchain, which makes a chat model of {text!r},", "agents") from error
    return found


def check_pool(pool: ModelPool, candidates: AbstractSet[str]) -> None:
    """Raise ConfigError where the router may choose what is no candidate; log a warning of candidates it never chooses.

    Such a candidate may be a model that the router left out when it was fitted, and that a later one takes up again.
    """
    if lacking := set(pool) - candidates:
        raise ConfigError(
            f"The router may choose {choices(lacking)}, for which models has no chat model; it has {choices(candidates)}."
        )
    if unknown := candidates - set(pool):
        _log.warning(
            "models has %s, which the router never chooses; it chooses from %s.", choices(unknown), choices(pool)
        )


def joint_profile(candidates: Mapping[str, BaseChatModel]) -> dict[str, Any] | None:
    """Return what holds of the router: the smallest of each limit, and each ability that any candidate has.

    A request that needs an ability only reaches candidates that have it, so any is enough.
    """
    profiles = [profile for model in candidates.values() if (profile := getattr(model, "profile", None))]
    joint: dict[str, Any] = {}
    for key in sorted({key for profile in profiles for key in profile}):
        known = [profile[key] for profile in profiles if profile.get(key) is not None]
        if known and all(isinstance(value, bool) for value in known):
            joint[key] = any(known)
        elif known and all(isinstance(value, int) and not isinstance(value, bool) for value in known):
            joint[key] = min(known)
    return joint or None


def inabilities(candidates: Mapping[str, BaseChatModel]) -> dict[str, frozenset[str]]:
    """Return, for each candidate whose profile says so, the capabilities it lacks; an undeclared one is trusted."""
    lacking: dict[str, frozenset[str]] = {}
    for name, model in candidates.items():
        profile = getattr(model, "profile", None) or {}
        denied = {need for need, flags in _NEEDS.items() if all(profile.get(flag) is False for flag in flags)}
        if denied:
            lacking[name] = frozenset(denied)
    return lacking
