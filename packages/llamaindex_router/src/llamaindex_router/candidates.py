"""Candidates: the LLMs a router may choose from, what they can do together, and what each one cannot."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from llama_index.core.base.llms.types import LLMMetadata, MessageRole
from llama_index.core.llms.llm import LLM

from pointsman.errors import ConfigError, choices
from pointsman.models import ModelPool

__all__ = ["Window", "candidates_of", "check_pool", "joint_metadata", "tool_users"]

_log = logging.getLogger(__name__)

Window: TypeAlias = Literal["smallest", "largest"]
"""Whose context window prompts are packed for: every candidate's, or only that of the largest."""


def candidates_of(models: Any) -> dict[str, LLM]:
    """Return the LLMs by name: the user's own objects.

    Raises:
        ConfigError: If there are none, or one is not an LLM of LlamaIndex.
    """
    if not isinstance(models, Mapping) or not models:
        raise ConfigError(f"models must map at least one name to an LLM, got {type(models).__name__} {_names(models)}.")
    for name, model in models.items():
        if not isinstance(model, LLM):
            raise ConfigError(f"models[{name!r}] must be an LLM of LlamaIndex, got {type(model).__name__}.")
    return {str(name): model for name, model in models.items()}


def _names(models: Any) -> str:
    return str(list(models)) if isinstance(models, Mapping | list | tuple) else ""


def check_pool(pool: ModelPool, candidates: Mapping[str, LLM]) -> None:
    """Raise ConfigError where the router may choose what is no candidate; log a warning of candidates it never chooses.

    Such a candidate may be a model that the router left out when it was fitted, and that a later one takes up again.
    """
    if lacking := set(pool) - set(candidates):
        raise ConfigError(
            f"The router may choose {choices(lacking)}, for which models has no LLM; it has {choices(candidates)}."
        )
    if unknown := set(candidates) - set(pool):
        _log.warning(
            "models has %s, which the router never chooses; it chooses from %s.", choices(unknown), choices(pool)
        )


def joint_metadata(candidates: Mapping[str, LLM], window: Window) -> LLMMetadata:
    """Return what holds of the router: one candidate's limits, and each ability that any candidate has.

    Engines pack their prompts into what the context window leaves beside the answer, so both are those of the candidate that
    leaves least, or most. A request that needs tools only reaches candidates that can call them, so any is enough.
    """
    known = [model.metadata for model in candidates.values()]
    choose = min if window == "smallest" else max
    limits = choose(known, key=lambda one: (one.context_window - max(one.num_output, 0), one.context_window))
    roles = {one.system_role for one in known}
    return LLMMetadata(
        context_window=limits.context_window,
        num_output=limits.num_output,
        is_chat_model=any(one.is_chat_model for one in known),
        is_function_calling_model=any(one.is_function_calling_model for one in known),
        model_name=f"router({', '.join(candidates)})",
        system_role=roles.pop() if len(roles) == 1 else MessageRole.SYSTEM,
    )


def tool_users(candidates: Mapping[str, LLM]) -> dict[str, LLM]:
    """Return the candidates that can be called with tools."""
    return {
        name: model
        for name, model in candidates.items()
        if hasattr(model, "chat_with_tools") and model.metadata.is_function_calling_model
    }
