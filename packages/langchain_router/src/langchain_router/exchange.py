"""One routed request: performs the effects of a plan by calling the candidates as children of the router's run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_router.conversation import messages_of, to_langchain
from langchain_router.embedding import aembedded, embedded
from langchain_router.failures import call_error
from langchain_router.replies import response_of, usage_of
from langchain_router.runs import ChainRun, Witness
from langchain_router.switching import fitting, fitting_options, mixed
from pointsman.errors import ConfigError, choices
from pointsman.flow import Effect, Outcome
from pointsman.types import Call, Embed, Response

__all__ = ["NOSTREAM", "CandidateCall", "Exchange", "Operation", "candidate"]

_C = TypeVar("_C")

Operation: TypeAlias = Callable[[BaseChatModel], Runnable[Any, Any]]
"""What to make of the candidate before it is called, such as `with_structured_output` applied to it."""

NOSTREAM = "nostream"
"""LangGraph's tag for runs whose tokens must not reach the user: rejected drafts and judges."""


class CandidateCall:
    """One call of one candidate: what to invoke, with what; errors inside its `with` block become outcomes."""

    __slots__ = ("config", "input", "kwargs", "model", "runnable", "witness")

    def __init__(
        self,
        model: str,
        runnable: Runnable[Any, Any],
        given: LanguageModelInput,
        config: RunnableConfig,
        kwargs: dict[str, Any],
        witness: Witness | None,
    ) -> None:
        self.model = model
        self.runnable = runnable
        self.input = given
        self.config = config
        self.kwargs = kwargs
        self.witness = witness

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            answered = self.witness.metered if self.witness is not None else None
            usage = usage_of(answered.usage_metadata) if answered is not None else None
            failure = call_error(self.model, error, usage=usage)
            if failure is not None:
                raise failure from error

    def response(self, output: Any) -> Response:
        """Return what the candidate returned as the core's response."""
        message = output if self.witness is None else self.witness.message
        return response_of(self.model, output, message)


class Exchange:
    """The candidates, the user's input and options, and the run under which they are called.

    Parameters:
        candidates: The chat models by name.
        embedders: What computes the embeddings a router may ask for, by name.
        given: The input of the call, which is sent as it came.
        options: Keyword arguments of every call of the user's own request, such as `stop`, `temperature` or `tools`.
        operation: What to make of a candidate first; None calls it as it is.
        config: The router's config, without what is about its own run.
        run: The router's run.
    """

    __slots__ = ("candidates", "config", "embedders", "given", "operation", "options", "run")

    def __init__(
        self,
        *,
        candidates: Mapping[str, BaseChatModel],
        embedders: Mapping[str, Embeddings],
        given: LanguageModelInput,
        options: Mapping[str, Any],
        operation: Operation | None,
        config: RunnableConfig,
        run: ChainRun,
    ) -> None:
        self.candidates = candidates
        self.embedders = embedders
        self.given = given
        self.options = options
        self.operation = operation
        self.config = config
        self.run = run

    def perform(self, effect: Effect) -> Outcome:
        """Call the candidate, or compute the embedding, that a plan asks for."""
        if isinstance(effect, Embed):
            return embedded(self.embedders, effect)
        with self.prepare(effect) as call:
            return call.response(call.runnable.invoke(call.input, call.config, **call.kwargs))

    async def aperform(self, effect: Effect) -> Outcome:
        """Do as `perform`, awaiting."""
        if isinstance(effect, Embed):
            return await aembedded(self.embedders, effect)
        with self.prepare(effect) as call:
            return call.response(await call.runnable.ainvoke(call.input, call.config, **call.kwargs))

    def prepare(self, call: Call) -> CandidateCall:
        """Return the call of a candidate, ready to be made.

        Messages of the plan's own, such as a judge's, are sent as they are; the user's go with their options and tools.
        """
        model = candidate(self.candidates, call.model)
        child, witness = self.run.get_child(f"router:{call.purpose}"), None
        if not call.stream:
            child.add_tags([NOSTREAM])
        config: RunnableConfig = {**self.config, "callbacks": child}
        if call.messages is not None:
            return CandidateCall(call.model, model, to_langchain(call.messages), config, dict(call.params), None)
        kwargs, given = {**self.options, **call.params}, self.given
        if mixed(self.candidates):
            kwargs, given = fitting_options(kwargs, model), fitting(messages_of(given), model, self.candidates)
        runnable: Runnable[Any, Any] = model
        if self.operation is not None:
            witness = Witness()
            child.add_handler(witness)
            runnable = self.operation(model)
        elif kwargs.get("tools"):
            runnable, kwargs = model.bind_tools(kwargs.pop("tools"), **kwargs), {}
        return CandidateCall(call.model, runnable, given, config, kwargs, witness)


def candidate(candidates: Mapping[str, _C], name: str) -> _C:
    """Return the candidate of this name; ConfigError, with what there is, for one that is not there."""
    if name not in candidates:
        raise ConfigError(f"The router chose {name!r}, but the candidates are {choices(candidates)}.")
    return candidates[name]
