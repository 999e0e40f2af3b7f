"""RouterLM: a language model to DSPy's programs; the model that a router chooses answers, and is billed by its own name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from dspy import BaseLM

from dspy_router.asking import Asked, Asker, query_of
from dspy_router.candidates import candidates_of, shared_by, shared_params
from dspy_router.embedding import Embedder
from dspy_router.exchange import REQUEST_OPTIONS, Exchange
from dspy_router.record import output_of
from dspy_router.running import ARun, Run, Running
from dspy_router.saving import CLASS_KEY, candidates_from, checked_home, public, router_from, router_state
from pointsman.dispatch import Dispatcher, dispatcher_of
from pointsman.errors import ConfigError, choices
from pointsman.routers.base import Router
from pointsman.types import Context, Query, Trace

__all__ = ["RouterLM"]


class RouterLM(BaseLM):
    """Answers each call with the language model that a router chooses for it.

    It delegates to a copy of the chosen candidate, so that there is exactly one LM event, one entry of the history and one
    count of tokens for every real call, all under the candidate's name. The entry holds under "router" what was decided, and
    is found in the histories of the RouterLM and of the candidate. Copies share the candidates and the router.

    Parameters:
        lms: The candidates by the names the router knows them by; retries, caching and prices of each are its own.
        router: Who chooses; any fitted pointsman router. Candidates that it never chooses, such as a model that it left out
            when it was fitted, stay unused, and a warning is logged.
        dispatcher: In place of `router`: one that has a router, and with it budgets, retries, deadlines or observers.
        embedders: Embedders by name, for routers that ask for vectors.
        query: Reads the question to route on out of the messages; by default the last user message is it.
        operating_point: Trades quality for cost in the unit of the router's policy; None is the router's own setting.
        name: What it is called in DSPy: `pointsman/<name>`.
        cache: False keeps every call out of DSPy's cache; True leaves that to the candidates.
        callbacks: DSPy callbacks for every call.
        kwargs: Options of every call, such as `temperature`, which override the candidates' own.

    Raises:
        ConfigError: If the router may choose what is no candidate, a parameter is the candidates' own, or there is not
            exactly one of router and dispatcher.
    """

    def __init__(
        self,
        lms: Mapping[str, BaseLM],
        router: Router | None = None,
        *,
        dispatcher: Dispatcher | None = None,
        embedders: Mapping[str, Embedder] | None = None,
        query: Asker | None = None,
        operating_point: float | None = None,
        name: str = "router",
        cache: bool = True,
        callbacks: Sequence[Any] = (),
        **kwargs: Any,
    ) -> None:
        if "num_retries" in kwargs:
            raise ConfigError("num_retries is the candidates' own; set it on the language models given to RouterLM.")
        self.dispatcher = dispatcher_of("RouterLM", router, dispatcher, {})
        self._dispatched = dispatcher is not None
        self.lms = candidates_of(lms, self.dispatcher.router.models)
        self.embedders = dict(embedders or {})
        self.query = query
        self.operating_point = operating_point
        kinds = {lm.model_type for lm in self.lms.values()}
        kind = kinds.pop() if len(kinds) == 1 else "chat"
        super().__init__(f"pointsman/{name}", model_type=kind, cache=cache, callbacks=list(callbacks), **kwargs)

    def _get_initial_kwargs(self, **given: Any) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value is not None}  # None leaves the candidates' own

    @property
    def router(self) -> Router:
        """The router in service; `dispatcher.replace` puts another one there."""
        return self.dispatcher.router

    def __repr__(self) -> str:
        return f"RouterLM({list(self.lms)}, {type(self.router).__name__})"

    def __call__(
        self, prompt: Any = None, *, messages: Sequence[Mapping[str, Any]] | None = None, **kwargs: Any
    ) -> Any:
        """Return the chosen model's outputs: a list, or for a `dspy.lm15.Request` its Response."""
        exchange = self._exchange(prompt, messages, kwargs)
        with exchange:
            asked = query_of(exchange.asked, self.query)
            trace = self.dispatcher.run(asked, self.context, perform=exchange.perform)
        return _result(exchange, trace)

    async def acall(
        self, prompt: Any = None, *, messages: Sequence[Mapping[str, Any]] | None = None, **kwargs: Any
    ) -> Any:
        """Return the chosen model's outputs: a list, or for a `dspy.lm15.Request` its Response."""
        exchange = self._exchange(prompt, messages, kwargs)
        with exchange:
            asked = query_of(exchange.asked, self.query)
            trace = await self.dispatcher.arun(asked, self.context, aperform=exchange.aperform)
        return _result(exchange, trace)

    def conduct(self, query: Query, run: Run, *, check: Callable[[Any], bool] | None = None) -> Any:
        """Return the prediction of a piece of a program, run with the language model that is chosen for the query.

        `run(lm)` may be called again, with another model, where the first one fails or the router asks several;
        `check(prediction)` tells such a router whether a draft is good enough.
        """
        running = self._running(run=run, check=check)
        with running:
            trace = self.dispatcher.run(query, self.context, perform=running.perform)
        return running.told(trace)

    async def aconduct(self, query: Query, run: ARun, *, check: Callable[[Any], bool] | None = None) -> Any:
        """Do as `conduct`, awaiting."""
        running = self._running(arun=run, check=check)
        with running:
            trace = await self.dispatcher.arun(query, self.context, aperform=running.aperform)
        return running.told(trace)

    @property
    def context(self) -> Context:
        """What a decision is made in now: the operating point, or the router's own setting."""
        return Context(operating_point=self.operating_point, clock=time.time())

    def _running(self, **piece: Any) -> Running:
        options = self.kwargs if self.cache else {"cache": False, **self.kwargs}
        return Running(owner=self, candidates=self.lms, embedders=self.embedders, asked=Asked(options=options), **piece)

    def _exchange(self, prompt: Any, messages: Sequence[Mapping[str, Any]] | None, kwargs: dict[str, Any]) -> Exchange:
        given = kwargs.pop("request", None) if prompt is None else prompt
        typed = hasattr(given, "messages")
        if typed and given.model != self.model:
            raise ValueError(f"The model of a Request to this RouterLM is {self.model!r}, not {given.model!r}.")
        own = self.kwargs
        if typed:
            own = {name: value for name, value in own.items() if name in REQUEST_OPTIONS}
        uncached = {} if self.cache else {"cache": False}
        asked = Asked(prompt=given, messages=messages, options={**uncached, **own, **kwargs})
        return Exchange(owner=self, candidates=self.lms, embedders=self.embedders, asked=asked)

    # What DSPy asks about it before it is known who answers

    @property
    def supports_function_calling(self) -> bool:
        """Whether every candidate calls tools natively."""
        return shared_by(self.lms.values(), lambda lm: lm.supports_function_calling)

    @property
    def supports_reasoning(self) -> bool:
        """Whether every candidate reasons natively."""
        return shared_by(self.lms.values(), lambda lm: lm.supports_reasoning)

    @property
    def supports_response_schema(self) -> bool:
        """Whether every candidate keeps to a JSON schema."""
        return shared_by(self.lms.values(), lambda lm: lm.supports_response_schema)

    @property
    def supported_params(self) -> set[str]:
        """The parameters that every candidate supports."""
        return shared_params(self.lms.values())

    # Copying, which DSPy's optimizers do freely, and saving

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the clients, the budget and what the router learns."""
        twin: Self = self.copy()
        twin.history = list(self.history)
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._unpickled, (self.dump_state(),)  # noqa: SLF001

    def dump_state(self) -> dict[str, Any]:
        """Return the router, the candidates and the options as JSON data, without keys.

        Raises:
            ConfigError: If it was made with a dispatcher or a `query` function, which a file cannot hold.
        """
        unsaved = {"dispatcher": self._dispatched, "query": self.query is not None}
        if found := [name for name, given in unsaved.items() if given]:
            raise ConfigError(
                f"A RouterLM with a {choices(found)} of its own is not saved with a program: save the program after "
                "program.set_lm(None), the router by pointsman.save, and set a RouterLM again after loading."
            )
        return {
            CLASS_KEY: f"{type(self).__module__}.{type(self).__qualname__}",
            "model": self.model,
            "cache": self.cache,
            "kwargs": public(self.kwargs),
            "operating_point": self.operating_point,
            "embedders": sorted(self.embedders),
            **router_state(self.router, self.lms),
        }

    @classmethod
    def load_state(cls, state: dict[str, Any], *, allow_custom_lm_class: bool = False) -> Self:
        """Return the RouterLM that was saved; `allow_custom_lm_class` says that the file is trusted."""
        checked_home(state)
        return cls.restored({k: v for k, v in state.items() if k != CLASS_KEY}, trusted=allow_custom_lm_class)

    @classmethod
    def restored(
        cls,
        state: Mapping[str, Any],
        lms: Mapping[str, BaseLM] | None = None,
        embedders: Mapping[str, Embedder] | None = None,
        *,
        trusted: bool = False,
    ) -> Self:
        """Return a RouterLM from its saved state, over these candidates or over those of the state.

        Raises:
            ConfigError: If the router asks for embedders that are not given.
        """
        if lacking := set(state["embedders"]) - set(embedders or ()):
            raise ConfigError(f"The saved router asks for the embedder {choices(lacking)}; give embedders={{...}}.")
        return cls(
            candidates_from(state, trusted=trusted) if lms is None else lms,
            router_from(state),
            embedders=embedders,
            operating_point=state["operating_point"],
            name=state["model"].partition("/")[2],
            cache=state["cache"],
            **state["kwargs"],
        )

    @classmethod
    def _unpickled(cls, state: dict[str, Any]) -> Self:
        return cls.load_state(state, allow_custom_lm_class=True)


def _result(exchange: Exchange, trace: Trace) -> Any:
    exchange.note(trace)
    return output_of(trace)
