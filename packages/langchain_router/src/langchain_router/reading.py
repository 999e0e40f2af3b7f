"""Reading a chat model's call: what is asked of it, as the core sees it, and how it will be sent to a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.runnables import RunnableConfig

from langchain_router.exchange import Exchange, Operation
from langchain_router.request import context_of, query_of, spoken
from langchain_router.runs import ChainRun
from pointsman.types import Context, Query

if TYPE_CHECKING:
    from langchain_router.surface import RoutedChatModel

__all__ = ["read_chat"]


def read_chat(
    llm: RoutedChatModel,
    given: LanguageModelInput,
    given_options: Mapping[str, Any],
    operation: Operation | None,
    run: ChainRun,
    config: RunnableConfig,
) -> tuple[Query, Context, Exchange]:
    """Return the query and context of a call, and the exchange that performs its plan's effects.

    `operation` is what to make of the chosen candidate before it is called; None calls it as it is.
    """
    options = {**llm.defaults, **given_options}
    pinned = options.pop("model", None)
    text, messages = spoken(given, config, llm.query)
    query = query_of(
        text,
        messages,
        config,
        options,
        run_id=str(run.run_id),
        pinned=pinned,
        candidates=llm.models,
        structured=operation is not None,
    )
    exchange = Exchange(
        candidates=llm.models,
        embedders=llm.embedders,
        given=given,
        options=options,
        operation=operation,
        config=config,
        run=run,
    )
    return query, context_of(query, messages, config, llm.models), exchange
