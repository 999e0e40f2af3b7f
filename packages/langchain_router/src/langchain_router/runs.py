"""The router's own run: a chain in LangChain's traces, parent of one LLM run for every real call."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForChainRun, BaseCallbackHandler, CallbackManagerForChainRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
    merge_configs,
)

__all__ = ["ChainRun", "Witness", "aopen_run", "merged", "open_run"]

ChainRun = CallbackManagerForChainRun | AsyncCallbackManagerForChainRun


def merged(own: RunnableConfig, config: RunnableConfig | None) -> RunnableConfig:
    """Return a call's config with the router's own callbacks, tags and metadata put under it."""
    return merge_configs(own, ensure_config(config)) if own else ensure_config(config)


def open_run(config: RunnableConfig, inputs: Any, serialized: dict[str, Any], name: str) -> CallbackManagerForChainRun:
    """Start the router's run; the caller ends it with `on_chain_end` or `on_chain_error`.

    Its id and name are taken out of the config, so that no candidate's run gets them too.
    """
    manager = get_callback_manager_for_config(config)
    return manager.on_chain_start(serialized, inputs, **_identity(config, name))


async def aopen_run(
    config: RunnableConfig, inputs: Any, serialized: dict[str, Any], name: str
) -> AsyncCallbackManagerForChainRun:
    """Do as `open_run`, awaiting."""
    manager = get_async_callback_manager_for_config(config)
    return await manager.on_chain_start(serialized, inputs, **_identity(config, name))


def _identity(config: RunnableConfig, name: str) -> dict[str, Any]:
    taken: Any = config
    return {"run_id": taken.pop("run_id", None), "name": taken.pop("run_name", None) or name}


class Witness(BaseCallbackHandler):
    """Keeps the message a model ended in, which a parser behind it hides; put on the run of a single call.

    `shown` counts the characters of it that were streamed to whoever listens.
    """

    run_inline = True

    def __init__(self) -> None:
        self.message: BaseMessage | None = None
        self.shown = 0

    def on_llm_new_token(self, token: str | list[str | dict[str, Any]], **_: Any) -> None:
        """Count what is streamed; a piece without text counts as one."""
        self.shown += len(token) or 1

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """Keep the message."""
        generation = next((one for choice in response.generations for one in choice), None)
        if isinstance(generation, ChatGeneration):
            self.message = generation.message

    @property
    def metered(self) -> AIMessage | None:
        """The message if it tells its usage, else None."""
        return self.message if isinstance(self.message, AIMessage) and self.message.usage_metadata else None
