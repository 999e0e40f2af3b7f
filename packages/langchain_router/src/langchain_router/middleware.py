"""RouterMiddleware: lets a router choose the model for each model call of a LangChain agent, or for each of its runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from langchain.agents.middleware import AgentMiddleware, ExtendedModelResponse, ModelRequest
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from langchain_router.agent_calls import AsyncHandler, Handler
from langchain_router.agent_state import RouterState
from langchain_router.agent_step import AgentStep
from langchain_router.candidates import candidates_of, check_pool
from langchain_router.feedback import RunFeedback, feedback_of
from langchain_router.overruling import Overruling
from langchain_router.request import Ask
from pointsman.artifacts import load_router
from pointsman.dispatch import Dispatcher, dispatcher_of
from pointsman.errors import ConfigError
from pointsman.routers.base import Router

__all__ = ["RouterMiddleware"]

_OWN = "the agent's own model"
_NAMED = "another middleware has named the model, after the router's had failed"


class RouterMiddleware(AgentMiddleware[RouterState, Any, Any]):
    """Chooses which model an agent calls; the agent puts tools and response formats into that model's own form.

    What the request needs is read from its tools, its response format and its messages' content. The record of each call
    stands in the agent's state under `router_log` and in the message's `response_metadata["router"]`. Drafts and judges of
    longer plans carry LangGraph's tag `nostream`, so that its "messages" stream shows the answer alone.

    It goes with `ModelFallbackMiddleware` and `ModelRetryMiddleware` in either order. Listed before them, it chooses and they
    mend; the record names who really answered. Listed after them, the model they name once the router's have failed is
    called as it is.

    Per call, a config's `configurable` and `metadata` may hold what they may for RouterLLM. A rule can tell steps apart by the
    query's tags: `agent_step` is "question" or "tool_result", `agent_tool` the tool whose result came last.

    Parameters:
        models: The candidates by the names the router knows them by: chat models, or text for `init_chat_model`.
        router: Who chooses; any fitted pointsman router.
        dispatcher: In place of `router` and `parts`, one that may be shared with other adapters.
        per: "run" keeps the model that answered first since the human spoke, as prompt caches like it, unless it cannot
            go on; "call" chooses anew each time.
        on_error: "default" leaves a call to the agent's own model where the router itself fails, or finds no model for it:
            the record says so, the cost is unknown, and no budget pays for it. "raise" raises instead. Errors of models and
            spent budgets are always raised.
        query: Reads the question to route on out of the messages; by default the last human message is it.
        embedders: LangChain embeddings by name, for routers that ask for vectors.
        feedback: Who takes feedback on runs, one that is shared with other adapters on the same dispatcher; by default its own.
        parts: `budget`, `retry`, `deadline_s`, `prices`, `observers` and whatever else a Dispatcher takes.

    Raises:
        ConfigError: If the router may choose a model that is not given, or a parameter has no such value.
    """

    state_schema = RouterState

    def __init__(
        self,
        *,
        models: Mapping[str, BaseChatModel | str],
        router: Router | None = None,
        dispatcher: Dispatcher | None = None,
        per: Literal["run", "call"] = "run",
        on_error: Literal["default", "raise"] = "default",
        query: Ask | None = None,
        embedders: Mapping[str, Embeddings] | None = None,
        feedback: RunFeedback | None = None,
        **parts: Any,
    ) -> None:
        super().__init__()
        for name, value, known in (("per", per, ("run", "call")), ("on_error", on_error, ("default", "raise"))):
            if value not in known:
                raise ConfigError(
                    f"RouterMiddleware.{name} must be one of {', '.join(map(repr, known))}, got {value!r}."
                )
        self.models = candidates_of(models)
        self.dispatcher = dispatcher_of("RouterMiddleware", router, dispatcher, parts)
        check_pool(self.dispatcher.router.models, self.models.keys())
        self._per = per
        self._on_error = on_error
        self._query = query
        self._embedders = dict(embedders or {})
        self.feedback = feedback_of("RouterMiddleware", feedback, self.dispatcher)
        self._overruling = Overruling()

    @classmethod
    def from_artifact(cls, path: str | Path, *, models: Mapping[str, BaseChatModel | str], **settings: Any) -> Self:
        """Return one with the router that was saved at `path`; everything else is as at construction.

        Raises:
            ArtifactError: If the file is missing, damaged or too new.
            ConfigError: If it holds something other than a router.
        """
        return cls(models=models, router=load_router(path), **settings)

    def wrap_model_call(self, request: ModelRequest[Any], handler: Handler) -> ExtendedModelResponse[Any]:
        """Call the model that the router chooses in place of the agent's own."""
        step = self._step(request)
        if self._overruling.holds(request):
            response = handler(request)
            self._overruling.forget(request)
            return step.unrouted(response, _NAMED)
        with self._overruling.watching(request):
            for query, context in step.attempts():
                with step.bearing():
                    perform = partial(step.exchange.perform, handler)
                    return step.answered(self.dispatcher.run(query, context, perform=perform))
            return step.unrouted(handler(request), _OWN)

    async def awrap_model_call(self, request: ModelRequest[Any], handler: AsyncHandler) -> ExtendedModelResponse[Any]:
        """Call the model that the router chooses in place of the agent's own."""
        step = self._step(request)
        if self._overruling.holds(request):
            response = await handler(request)
            self._overruling.forget(request)
            return step.unrouted(response, _NAMED)
        with self._overruling.watching(request):
            for query, context in step.attempts():
                with step.bearing():
                    aperform = partial(step.exchange.aperform, handler)
                    return step.answered(await self.dispatcher.arun(query, context, aperform=aperform))
            return step.unrouted(await handler(request), _OWN)

    def _step(self, request: ModelRequest[Any]) -> AgentStep:
        return AgentStep(
            request,
            candidates=self.models,
            embedders=self._embedders,
            ask=self._query,
            keep_from=self.dispatcher.router.models.keys() if self._per == "run" else frozenset(),
            on_error=self._on_error,
            feedback=self.feedback,
        )
