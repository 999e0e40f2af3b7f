"""One model call of an agent: performs the effects of a plan through whatever lies further in, the model last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeAlias

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp

from langchain_router.conversation import to_langchain
from langchain_router.embedding import aembedded, embedded
from langchain_router.exchange import NOSTREAM, CandidateCall, candidate
from langchain_router.failures import call_error
from langchain_router.replies import response_of, usage_of
from langchain_router.runs import Witness
from langchain_router.switching import fitting, fitting_options, kind_of
from pointsman.flow import Effect, Outcome
from pointsman.types import Call, Embed, Message, Response

__all__ = ["AgentExchange", "AsyncHandler", "Handler", "answer_of"]

Handler: TypeAlias = Callable[[ModelRequest[Any]], ModelResponse[Any]]
AsyncHandler: TypeAlias = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]


def answer_of(response: ModelResponse[Any]) -> AIMessage | None:
    """Return the model's message in a response."""
    return next((message for message in response.result if isinstance(message, AIMessage)), None)


class _AgentCall:
    """One call of one candidate by the agent; errors inside its `with` block become outcomes."""

    def __init__(self, call: Call, request: ModelRequest[Any], witness: Witness, exchange: AgentExchange) -> None:
        self._call = call
        self._witness = witness
        self._exchange = exchange
        self.request = request

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            return
        self._exchange.raised.append(error)
        if not isinstance(error, Exception) or isinstance(error, GraphBubbleUp):
            return
        answered = self._witness.metered
        usage = usage_of(answered.usage_metadata) if answered is not None else None
        failure = call_error(self._call.model, error, usage=usage)
        if failure is not None:
            shown = self._witness.shown if self._call.stream else 0
            raise failure.changed(emitted=shown) from error

    def response(self, response: ModelResponse[Any]) -> Response:
        """Return the agent's response as the core's, in the name of the model that really answered."""
        message = answer_of(response)
        model = self._call.model if self._witness.message is not None else self._exchange.other(message)
        return replace(response_of(model or self._call.model, message, message), raw=response)


class AgentExchange:
    """The candidates, and the agent's request that goes to one of them.

    Parameters:
        request: What the agent would ask its own model.
        candidates: The chat models by name.
        embedders: What computes the embeddings a router may ask for, by name.
    """

    def __init__(
        self,
        request: ModelRequest[Any],
        candidates: Mapping[str, BaseChatModel],
        embedders: Mapping[str, Embeddings],
    ) -> None:
        self._request = request
        self._candidates = candidates
        self._embedders = embedders
        self.raised: list[BaseException] = []  # by the agent's own calls, as against those of the router

    def perform(self, handler: Handler, effect: Effect) -> Outcome:
        """Let the agent call the candidate, or compute the embedding, that a plan asks for."""
        if isinstance(effect, Embed):
            return embedded(self._embedders, effect)
        if effect.messages is not None:
            with self._aside(effect, effect.messages) as aside:
                return aside.response(aside.runnable.invoke(aside.input, aside.config, **aside.kwargs))
        with self._prepare(effect) as call:
            return call.response(handler(call.request))

    async def aperform(self, handler: AsyncHandler, effect: Effect) -> Outcome:
        """Do as `perform`, awaiting."""
        if isinstance(effect, Embed):
            return await aembedded(self._embedders, effect)
        if effect.messages is not None:
            with self._aside(effect, effect.messages) as aside:
                return aside.response(await aside.runnable.ainvoke(aside.input, aside.config, **aside.kwargs))
        with self._prepare(effect) as call:
            return call.response(await handler(call.request))

    def other(self, message: AIMessage | None) -> str | None:
        """Return who answered in place of the model that was asked: a candidate, or the provider's name for it."""
        served = message.response_metadata.get("model_name") if message is not None else None
        if not isinstance(served, str):
            return None
        named = {_served_name(model): name for name, model in self._candidates.items()}
        return named.get(served, served)

    def _aside(self, call: Call, messages: tuple[Message, ...]) -> CandidateCall:
        """Return a call of the plan's own, such as a judge's, out of the agent's sight."""
        model = candidate(self._candidates, call.model)
        config: RunnableConfig = {"tags": [NOSTREAM, f"router:{call.purpose}"]}
        return CandidateCall(call.model, model, to_langchain(messages), config, dict(call.params), None)

    def _prepare(self, call: Call) -> _AgentCall:
        model, witness = candidate(self._candidates, call.model), Witness()
        request = self._suited(model)
        if call.params:
            request = request.override(model_settings={**request.model_settings, **call.params})
        hidden = [] if call.stream else [NOSTREAM]
        tagged = _tagged(model, [*hidden, f"router:{call.purpose}"], witness)
        return _AgentCall(call, request.override(model=tagged), witness, self)

    def _suited(self, model: BaseChatModel) -> ModelRequest[Any]:
        """Return the request without what the agent's own provider understands and this model's does not."""
        request, system = self._request, self._request.system_message
        known = {**self._candidates, "": request.model}
        if len({kind_of(one) for one in known.values()}) == 1:
            return request
        said: Any = fitting([*([system] if system else ()), *request.messages], model, self._candidates)
        options = fitting_options({**request.model_settings, "tools": request.tools}, model)
        return request.override(
            system_message=said.pop(0) if system else None,
            messages=said,
            tools=options.pop("tools"),
            model_settings=options,
        )


def _tagged(model: BaseChatModel, tags: list[str], witness: BaseCallbackHandler) -> BaseChatModel:
    """Return a copy of a model, sharing its client, with tags and a handler more."""
    callbacks: Any = model.callbacks
    if callbacks is None or isinstance(callbacks, list):
        watched: Any = [*(callbacks or ()), witness]
    else:
        watched = callbacks.copy()
        watched.add_handler(witness, inherit=True)
    return model.model_copy(update={"tags": [*(model.tags or ()), *tags], "callbacks": watched})


def _served_name(model: BaseChatModel) -> str | None:
    return model._get_ls_params().get("ls_model_name")  # noqa: SLF001 - how LangChain's tracers name a model
