"""RouterLLM: an LLM by type, with a span of its own in traces; the model that a router chooses answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatResponse, LLMMetadata
from llama_index.core.llms.llm import LLM, ToolSelection
from pydantic import model_serializer

from llamaindex_router.candidates import Window, candidates_of, check_pool, joint_metadata, tool_users
from llamaindex_router.record import KEY
from llamaindex_router.request import Ask
from llamaindex_router.surface import RoutedLLM
from pointsman.artifacts import load_router
from pointsman.budgets import Budget, Budgets
from pointsman.dispatch import Dispatcher, Observer, Retry, dispatcher_of
from pointsman.errors import ConfigError, choices
from pointsman.pricing import PriceTable
from pointsman.routers.base import Router

__all__ = ["RouterLLM"]

_SHARED = frozenset({"callback_manager", "pydantic_program_mode"})
"""What LlamaIndex sets on whichever LLM is in use, and what the candidates need to have, as they make the calls."""

_REFUSED = frozenset({"output_parser", "query_wrapper_prompt", "rate_limiter", "system_prompt"})
"""Parameters of every LLM that are about how one model is spoken to."""

_FORMS = frozenset({"completion_to_prompt", "messages_to_prompt"})
"""More of them, which LlamaIndex fills in itself."""

_UNSAVED = (
    "A RouterLLM is not pickled, as it holds clients with their keys and what the router learns: save the router by "
    "pointsman.save, and build the RouterLLM anew by RouterLLM.from_artifact."
)


class RouterLLM(RoutedLLM):
    """Answers each call with the LLM that a router chooses for it.

    It is an LLM wherever LlamaIndex looks at the type, and a span in traces: there is exactly one LLM event for every real
    call, made by the candidate itself, so token counts, streams and rate limits are the candidate's. What the router did stands
    in the response's `additional_kwargs["router"]` and in a `RouterDecisionEvent`. In a prompt template the question is the
    variable `query_str`, so a RAG's context does not decide. `routing(...)` says more for the calls of a block.

    Parameters:
        models: The candidates by the names the router knows them by. They get the callback manager that is set here.
        router: Who chooses; any fitted pointsman router. Candidates that it never chooses, such as a model that it left out
            when it was fitted, stay unused, and a warning is logged.
        dispatcher: In place of `router` and the five that follow, one that may be shared with other adapters.
        budget: What all calls are paid from, or a budget for each scope.
        retry: How the same model is tried again, above what its client does; once by default.
        deadline_s: Seconds for each call with its retries.
        prices: What a model costs where the router's pool does not say so.
        observers: Called with the trace of every call, also of failed and cancelled ones.
        embedders: Embedding models by name, for routers that ask for vectors.
        query: Reads the question to route on out of the messages.
        context_window: Whose context window prompts are packed for: the "smallest", so that every candidate can take them, or
            the "largest", so that candidates they do not fit are left out.
        settings: LlamaIndex's `callback_manager` and `pydantic_program_mode`, which the candidates get too.

    Raises:
        ConfigError: If the router may choose a model that is not given, or a parameter is unknown or belongs to the candidates.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, LLM],
        router: Router | None = None,
        dispatcher: Dispatcher | None = None,
        budget: Budget | Budgets | None = None,
        retry: Retry | None = None,
        deadline_s: float | None = None,
        prices: PriceTable | None = None,
        observers: Sequence[Observer] = (),
        embedders: Mapping[str, BaseEmbedding] | None = None,
        query: Ask | None = None,
        context_window: Window = "smallest",
        **settings: Any,
    ) -> None:
        parts = {
            "budget": budget,
            "retry": retry,
            "deadline_s": deadline_s,
            "prices": prices,
            "observers": tuple(observers) or None,
        }
        candidates = candidates_of(models)
        service = dispatcher_of("RouterLLM", router, dispatcher, parts)
        check_pool(service.router.models, candidates)
        given = _checked(settings)
        super().__init__(
            models=candidates,
            dispatcher=service,
            embedders=dict(embedders or {}),
            query=query,
            context_window=context_window,
            **given,
        )
        for name in given:
            self._share(name, getattr(self, name))  # as validated: a saved mode is a text

    @classmethod
    def from_artifact(cls, path: str | Path, *, models: Mapping[str, LLM], **settings: Any) -> Self:
        """Return a RouterLLM with the router that was saved at `path`; everything else is as at construction.

        Raises:
            ArtifactError: If the file is missing, damaged or too new.
            ConfigError: If it holds something other than a router.
        """
        return cls(models=models, router=load_router(path), **settings)

    @property
    def router(self) -> Router:
        """The router in service; `dispatcher.replace` puts another one there."""
        return self.dispatcher.router

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises it under."""
        return "pointsman_router_llm"

    # What LlamaIndex sets on it and asks about it

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _REFUSED and value is not None:
            raise ConfigError(_own(name))
        super().__setattr__(name, value)
        if name in _SHARED:
            self._share(name, value)

    def _share(self, name: str, value: Any) -> None:
        """Give the candidates what was set here; the embedders too, where it is a callback manager."""
        embedders = self.embedders.values() if name == "callback_manager" else ()
        for model in (*self.models.values(), *embedders):
            if getattr(model, name) is not value:
                setattr(model, name, value)

    @property
    def metadata(self) -> LLMMetadata:
        """What holds of the candidates together; engines pack their prompts by it."""
        return joint_metadata({name: self.models[name] for name in self.router.models}, self.context_window)

    def to_payload(self) -> dict[str, Any]:
        """Return what traces may show of it: no key, no header and nothing that was learnt."""
        return {
            "class_name": self.class_name(),
            "models": {name: _payload(model) for name, model in self.models.items()},
            "router": type(self.router).__name__,
        }

    def _prepare_chat_with_tools(self, tools: Sequence[Any], **kwargs: Any) -> dict[str, Any]:
        """Return the arguments in the form of the first candidate that calls tools, for callers who go past the endpoints."""
        able: Any = self._tool_user()
        prepared: dict[str, Any] = able._prepare_chat_with_tools(tools, **kwargs)  # noqa: SLF001 - what is implemented here
        return prepared

    def get_tool_calls_from_response(
        self,
        response: ChatResponse,
        error_on_no_tool_call: bool = True,
        **kwargs: Any,
    ) -> list[ToolSelection]:
        """Return a response's tool calls, as the candidate that made it reads them."""
        answered: Any = self.models.get(response.additional_kwargs.get(KEY, {}).get("model")) or self._tool_user()
        made: list[ToolSelection] = answered.get_tool_calls_from_response(
            response, error_on_no_tool_call=error_on_no_tool_call, **kwargs
        )
        return made

    def _tool_user(self) -> LLM:
        able = tool_users(self.models)
        if not able:
            raise ConfigError(f"None of the candidates {choices(self.models)} calls tools, by its metadata.")
        return next(iter(able.values()))

    # Copying and saving

    def __repr_args__(self) -> Any:
        return [("models", list(self.models)), ("router", type(self.router).__name__)]

    @model_serializer(mode="wrap")
    def custom_model_dump(self, handler: Any, info: Any) -> dict[str, Any]:
        """Return plain data without keys; `from_dict(data, models=..., router=...)` takes them back."""
        return {**handler(self), **self.to_payload()}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a copy that shares the clients, the budget and what the router learns."""
        copied: Self = self.model_copy()
        return copied

    def __reduce__(self) -> NoReturn:
        raise ConfigError(_UNSAVED)


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that every LLM has and that hold for all candidates; ConfigError for any other that is given."""
    given = {name: value for name, value in settings.items() if value is not None}
    for name in given:
        if name in _REFUSED | _FORMS:
            raise ConfigError(_own(name))
    if unknown := given.keys() - _SHARED:
        raise ConfigError(
            f"RouterLLM has no parameter {choices(unknown)}; LlamaIndex's that it takes are {choices(_SHARED)}."
        )
    return given


def _own(name: str) -> str:
    return f"{name} is the candidates' own; set it on the LLMs given to RouterLLM."


def _payload(model: LLM) -> dict[str, Any]:
    """Return what an LLM says of itself for traces, or before LlamaIndex had that, its metadata."""
    if hasattr(model, "to_payload"):
        payload: dict[str, Any] = model.to_payload()
        return payload
    return {"class_name": model.class_name(), **model.metadata.model_dump()}
