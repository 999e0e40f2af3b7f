"""on_question: tells the routers in a chain which part of the chain's input is the question."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from langchain_router.routes import Question, question_in

__all__ = ["on_question"]


def on_question(chain: Runnable[Any, Any], question: Question | None = None) -> Runnable[Any, Any]:
    """Return the chain with its routers told to route on the question in its input, whatever is put around it on the way.

    In a retrieval chain the documents would decide otherwise. It is told through the config's metadata, as `router_query`;
    one that the caller gives stays.

    Parameters:
        chain: A chain with a RouterLLM, a RouteRunnable or an agent with a RouterMiddleware somewhere in it.
        question: Where the question is in the input: its key, or a function of the input; by default as for RouteRunnable.
    """

    def asking(given: Any, config: RunnableConfig) -> Runnable[Any, Any]:
        metadata = config.get("metadata") or {}
        if "router_query" in metadata:
            return chain
        return chain.with_config(metadata={"router_query": question_in(given, question)})

    async def aasking(given: Any, config: RunnableConfig) -> Runnable[Any, Any]:
        return asking(given, config)

    return RunnableLambda(asking, aasking, name="on_question")
