"""RouterLLM: a chat model by type, a chain in traces; the model that a router chooses answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.runnables.utils import ConfigurableFieldSpec, get_unique_config_specs
from langchain_core.tools import BaseTool

from langchain_router.candidates import candidates_of, check_pool, joint_profile
from langchain_router.feedback import feedback_of
from langchain_router.settings import SPECS
from langchain_router.structured import RoutedOutput
from langchain_router.surface import RoutedChatModel
from pointsman.artifacts import load_router
from pointsman.budgets import Budget, Budgets
from pointsman.dispatch import Dispatcher, Observer, Retry, dispatcher_of
from pointsman.errors import ConfigError, choices
from pointsman.pricing import PriceTable
from pointsman.routers.base import Router

__all__ = ["RouterLLM"]

_IGNORED = frozenset({"api_key", "base_url"})
"""Parameters that code building any chat model passes, and that each candidate has for itself."""

_REFUSED = ("cache", "rate_limiter")
"""Parameters of every chat model that would do nothing here, or harm: a cached answer would be a frozen decision."""

_SHOWN = 200  # characters of a router's parameters that traces show


class RouterLLM(RoutedChatModel):
    """Answers each request with the model that a router chooses for it.

    It is a chat model wherever LangChain looks at the type, and a chain in callbacks and traces: there is exactly one
    LLM event for every real call, made by the candidate itself, so usage, caches, rate limits and streams are the
    candidate's. What the router did stands in the message's `response_metadata["router"]`.

    Per call, a config's `configurable` may hold `router_model` (pin a candidate), `max_cost_usd`, `max_latency_s`,
    `min_quality`, `operating_point` and `thread_id` or `session_id`; its `metadata` may hold `router_query` (the question to
    route on, where it is not the last human message), `router_query_id` and `router_domain`.

    Parameters:
        models: The candidates by the names the router knows them by: chat models, or text for `init_chat_model`.
        router: Who chooses; any fitted pointsman router. Candidates that it never chooses, such as a model that it left out
            when it was fitted, stay unused, and a warning is logged.
        dispatcher: In place of `router` and the five that follow, one that may be shared with other adapters.
        budget: What all calls are paid from, or a budget for each scope.
        retry: How the same model is tried again, above what its client does; once by default.
        deadline_s: Seconds for each call with its retries.
        prices: What a model costs where the router's pool does not say so.
        observers: Called with the trace of every call, also of failed and cancelled ones.
        embedders: LangChain embeddings by name, for routers that ask for vectors.
        query: Reads the question to route on out of the messages; by default the last human message is it.
        feedback: Who takes feedback on LangChain's runs, one that is shared with other adapters on the same dispatcher; by
            default the router's own, `llm.feedback`.
        temperature: Sent with every request, like `max_tokens`, `stop` and `model_kwargs`; None leaves the candidate's own.
        max_tokens: The longest answer, in tokens.
        stop: Texts an answer stops before.
        model_kwargs: Any other keyword arguments of every request.
        streaming: False makes `stream` give the answer in one piece.
        output_version: The form of the messages' content, in LangChain's terms; given here, copies of the candidates get it.

    LangChain's standard `timeout` and `max_retries` are accepted for `deadline_s` and `retry`; `api_key` and `base_url` are the
    candidates' own and change nothing here.

    Raises:
        ConfigError: If the router may choose a model that is not given, or a parameter is unknown or belongs to the candidates.
        MissingExtraError: If a model is given as text and langchain is not installed.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, BaseChatModel | str],
        router: Router | None = None,
        dispatcher: Dispatcher | None = None,
        budget: Budget | Budgets | None = None,
        retry: Retry | None = None,
        deadline_s: float | None = None,
        prices: PriceTable | None = None,
        observers: Sequence[Observer] = (),
        **settings: Any,
    ) -> None:
        timeout, max_retries = settings.pop("timeout", None), settings.pop("max_retries", None)
        parts = {
            "budget": budget,
            "retry": Retry(attempts=1 + max_retries) if retry is None and max_retries is not None else retry,
            "deadline_s": timeout if deadline_s is None else deadline_s,
            "prices": prices,
            "observers": tuple(observers) or None,
        }
        candidates = candidates_of(models, output_version=settings.get("output_version"))
        service = dispatcher_of("RouterLLM", router, dispatcher, parts)
        check_pool(service.router.models, candidates.keys())
        told = feedback_of("RouterLLM", settings.pop("feedback", None), service)
        super().__init__(models=candidates, dispatcher=service, feedback=told, **self._settings(settings))
        if self.profile is None:  # an older langchain-core does not ask for it
            self.profile = self._resolve_model_profile()

    @classmethod
    def _settings(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of the chat model's own; raise ConfigError for unknown ones and the candidates'."""
        known = cls.model_fields
        settings = {name: value for name, value in given.items() if name not in _IGNORED}
        if unknown := settings.keys() - known:
            raise ConfigError(f"RouterLLM has no parameter {choices(unknown)}; it has {choices(known)}.")
        for name in _REFUSED:
            if settings.get(name) is not None:
                raise ConfigError(f"{name} is the candidates' own; set it on the models given to RouterLLM.")
        return settings

    @classmethod
    def from_artifact(cls, path: str | Path, *, models: Mapping[str, BaseChatModel | str], **settings: Any) -> Self:
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

    def __repr__(self) -> str:
        return f"RouterLLM(models={list(self.models)}, router={_short(self.router)})"

    __str__ = __repr__

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a copy that shares the clients, the budget and what the router learns."""
        return self.model_copy()

    # What can be made of it

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools as they are; each call lets the chosen model put them into its own form."""
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=list(tools), **choice, **kwargs)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer in the schema's form, by whichever way the chosen model does that.

        `method`, `strict` and whatever else the candidates know are passed on to them.
        """
        options = {name: value for name, value in kwargs.items() if value is not None}
        return RoutedOutput(
            self, lambda model: model.with_structured_output(schema, include_raw=include_raw, **options)
        )

    # What LangChain asks about it

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The per-call settings: the router's own, and those of the candidates."""
        theirs = [spec for model in self.models.values() for spec in model.config_specs]
        return list(get_unique_config_specs([*SPECS, *theirs]))

    def get_token_ids(self, text: str) -> list[int]:
        """Return the tokens of a text as the first candidate cuts it."""
        return self._first.get_token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """Return the number of tokens of a text by the first candidate's count."""
        return self._first.get_num_tokens(text)

    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
    ) -> int:
        """Return the number of tokens of messages by the first candidate's count."""
        more = {} if tools is None else {"tools": tools}  # which not every candidate knows
        return self._first.get_num_tokens_from_messages(messages, **more)

    @property
    def _first(self) -> BaseChatModel:
        return next(iter(self.models.values()))

    def _resolve_model_profile(self) -> Any:
        return joint_profile({name: model for name, model in self.models.items() if name in self.router.models})

    @property
    def _llm_type(self) -> str:
        return "pointsman-router"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"models": list(self.models), "router": _short(self.router), **self.defaults}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = LangSmithParams(
            ls_provider="pointsman", ls_model_name=str(kwargs.get("model") or "router"), ls_model_type="chat"
        )
        if self.temperature is not None:
            params["ls_temperature"] = self.temperature
        if self.max_tokens is not None:
            params["ls_max_tokens"] = self.max_tokens
        if stop or self.stop:
            params["ls_stop"] = stop or self.stop
        return params


def _short(router: Router) -> str:
    text = repr(router)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
