"""Routes: runnables of any kind as candidates, what they are called with, and what their model calls used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from types import TracebackType
from typing import Any, TypeAlias

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_router.conversation import messages_of, question_of, to_langchain
from langchain_router.exchange import NOSTREAM, CandidateCall, Exchange, candidate
from langchain_router.failures import call_error
from langchain_router.replies import usage_of
from langchain_router.runs import ChainRun
from pointsman.errors import ConfigError
from pointsman.types import Call, Response, Usage

__all__ = ["Question", "RouteExchange", "question_in", "spoken_in"]

Question: TypeAlias = str | Callable[[Any], str]
"""Where the question is in an input: under this key, or what this function returns."""

_USUAL = ("question", "query", "input")


def spoken_in(given: Any) -> list[BaseMessage]:
    """Return the conversation in an input: messages, or a mapping's "messages"; none where there is none."""
    if isinstance(given, Mapping):
        given = given.get("messages")
    if isinstance(given, BaseMessage):
        return [given]
    if isinstance(given, PromptValue) or (isinstance(given, list) and given and all(map(_is_message, given))):
        return messages_of(given)
    return []


def _is_message(one: Any) -> bool:
    return isinstance(one, BaseMessage | tuple) or (isinstance(one, Mapping) and "role" in one)


def question_in(given: Any, question: Question | None) -> str:
    """Return the question in an input; ConfigError where it is not said, nor plain, where it is."""
    if callable(question):
        return question(given)
    if question is not None:
        return str(given[question])
    if isinstance(given, str):
        return given
    if isinstance(given, Mapping):
        found = next((given[key] for key in _USUAL if isinstance(given.get(key), str)), None)
        if found is not None:
            return str(found)
    if messages := spoken_in(given):
        return question_of(messages)
    raise ConfigError(f"RouteRunnable cannot tell the question in {type(given).__name__}; give it question=.")


class _Meter(BaseCallbackHandler):
    """Adds up what the model calls of one route used; put on the run of a single call."""

    run_inline = True

    def __init__(self) -> None:
        self._messages: list[AIMessage | None] = []
        self._lock = Lock()

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """Keep the message of a model call; None for one that tells no usage."""
        generation = next((one for choice in response.generations for one in choice), None)
        message = generation.message if isinstance(generation, ChatGeneration) else None
        with self._lock:
            self._messages.append(message if isinstance(message, AIMessage) else None)

    @property
    def usage(self) -> Usage | None:
        """The tokens of all model calls; None where those of one are unknown, or there was none."""
        told = [usage_of(message.usage_metadata) if message is not None else None for message in self._messages]
        known = [usage for usage in told if usage is not None]
        if not known or len(known) < len(told):
            return None
        return Usage(
            input_tokens=sum(one.input_tokens or 0 for one in known),
            output_tokens=sum(one.output_tokens or 0 for one in known),
            cached_input_tokens=sum(one.cached_input_tokens for one in known),
            cache_write_tokens=sum(one.cache_write_tokens for one in known),
            reasoning_tokens=sum(one.reasoning_tokens for one in known),
        )

    @property
    def served(self) -> str | None:
        """The model that all calls went to, by its provider's name; None where there are several."""
        names = {message.response_metadata.get("model_name") if message else None for message in self._messages}
        name = names.pop() if len(names) == 1 else None
        return name if isinstance(name, str) else None


class _RouteCall(CandidateCall):
    """One call of one route; errors inside its `with` block become outcomes, with what was used by then."""

    __slots__ = ("meter",)

    def __init__(
        self, model: str, route: Runnable[Any, Any], given: Any, config: RunnableConfig, kwargs: dict[str, Any]
    ) -> None:
        super().__init__(model, route, given, config, kwargs, None)
        self.meter = _Meter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and (failure := call_error(self.model, error)) is not None:
            raise failure.changed(usage=self.meter.usage) from error

    def response(self, output: Any) -> Response:
        """Return what the route returned as the core's response; its content is nobody's business but the user's."""
        used, served = self.meter.usage, self.meter.served
        return Response(model=self.model, text=_text(output), usage=used, served_model=served, raw=output)


class RouteExchange(Exchange):
    """The routes, the user's input, and the run under which they are called.

    Parameters:
        routes: The runnables by name.
        embedders: What computes the embeddings a router may ask for, by name.
        given: The input of the call, which is sent as it came.
        options: Keyword arguments of the call.
        config: The router's config, without what is about its own run.
        run: The router's run.
    """

    __slots__ = ("routes",)

    def __init__(
        self,
        *,
        routes: Mapping[str, Runnable[Any, Any]],
        embedders: Mapping[str, Embeddings],
        given: LanguageModelInput,
        options: Mapping[str, Any],
        config: RunnableConfig,
        run: ChainRun,
    ) -> None:
        super().__init__(
            candidates={},
            embedders=embedders,
            given=given,
            options=options,
            operation=None,
            config=config,
            run=run,
        )
        self.routes = routes

    def prepare(self, call: Call) -> CandidateCall:
        """Return the call of a route, ready to be made; its runs carry the decision in their metadata."""
        route = candidate(self.routes, call.model)
        child = self.run.get_child(f"router:{call.purpose}")
        if not call.stream:
            child.add_tags([NOSTREAM])
        noted: dict[str, Any] = {"route": call.model}
        if call.decision is not None:
            noted |= {"route_reason": call.decision.reason, "route_propensity": call.decision.propensity}
        config: RunnableConfig = {**self.config, "metadata": {**(self.config.get("metadata") or {}), **noted}}
        config["callbacks"] = child
        given = self.given if call.messages is None else to_langchain(call.messages)
        options = {**self.options, **call.params} if call.messages is None else dict(call.params)
        prepared = _RouteCall(call.model, route, given, config, options)
        child.add_handler(prepared.meter)
        child.add_metadata(noted)
        return prepared


def _text(output: Any) -> str:
    if isinstance(output, str):
        return output
    messages = [output] if isinstance(output, BaseMessage) else []
    if isinstance(output, Mapping) and isinstance(output.get("messages"), list):
        messages = [one for one in output["messages"] if isinstance(one, BaseMessage)]
    return str(messages[-1].text) if messages else str(output)
