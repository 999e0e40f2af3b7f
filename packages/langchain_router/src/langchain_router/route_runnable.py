"""RouteRunnable: lets a router choose among runnables of any kind, such as chains, retrievers and agents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Self

from langchain_core.embeddings import Embeddings
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableLike, coerce_to_runnable
from langchain_core.runnables.utils import ConfigurableFieldSpec, get_unique_config_specs

from langchain_router.candidates import check_pool
from langchain_router.feedback import RunFeedback, feedback_of
from langchain_router.request import context_of, query_of
from langchain_router.routes import Question, RouteExchange, question_in, spoken_in
from langchain_router.routing import Routing
from langchain_router.runs import ChainRun
from langchain_router.settings import SPECS
from pointsman.artifacts import load_router
from pointsman.dispatch import Dispatcher, dispatcher_of
from pointsman.errors import ConfigError
from pointsman.routers.base import Router
from pointsman.types import Context, Query

__all__ = ["RouteRunnable"]


class RouteRunnable(Runnable[Any, Any]):
    """Calls the route that a router chooses for each input, with the input, config and keyword arguments as they came.

    The runs of the chosen route carry `route`, `route_reason` and `route_propensity` in their metadata; where the output is
    a message or an agent's state, the message's `response_metadata["route"]` holds the whole record. A provider's passing
    failure goes on to the next route, until something was streamed; a bug does not. What a route's model calls used is
    added up and priced by the route's price in the pool, or else, where they all went to one model, by that model's.

    Per call, `configurable` and `metadata` may hold what they may for RouterLLM.

    Parameters:
        routes: Runnables, or what LangChain makes one of, by the names the router knows as its models.
        router: Who chooses; any fitted pointsman router.
        dispatcher: In place of `router` and `parts`, one that may be shared with other adapters.
        question: Where the question to route on is in the input: its key, or a function of the input. By default text is the
            question itself, a mapping has it under "question", "query" or "input", and of messages it is the last human one.
        embedders: LangChain embeddings by name, for routers that ask for vectors.
        feedback: Who takes feedback on runs, one that is shared with other adapters on the same dispatcher; by default its own.
        parts: `budget`, `retry`, `deadline_s`, `prices`, `observers` and whatever else a Dispatcher takes.

    Raises:
        ConfigError: If the router may choose a route that is not given.
    """

    def __init__(
        self,
        *,
        routes: Mapping[str, RunnableLike[Any, Any]],
        router: Router | None = None,
        dispatcher: Dispatcher | None = None,
        question: Question | None = None,
        embedders: Mapping[str, Embeddings] | None = None,
        feedback: RunFeedback | None = None,
        **parts: Any,
    ) -> None:
        if not routes:
            raise ConfigError(f"routes must map at least one name to a runnable, got {routes!r}.")
        self.routes: dict[str, Runnable[Any, Any]] = {name: coerce_to_runnable(one) for name, one in routes.items()}
        self.dispatcher = dispatcher_of("RouteRunnable", router, dispatcher, parts)
        check_pool(self.dispatcher.router.models, self.routes.keys())
        self.feedback = feedback_of("RouteRunnable", feedback, self.dispatcher)
        self._question = question
        self._embedders = dict(embedders or {})

    @classmethod
    def from_artifact(cls, path: str | Path, *, routes: Mapping[str, RunnableLike[Any, Any]], **settings: Any) -> Self:
        """Return one with the router that was saved at `path`; everything else is as at construction.

        Raises:
            ArtifactError: If the file is missing, damaged or too new.
            ConfigError: If it holds something other than a router.
        """
        return cls(routes=routes, router=load_router(path), **settings)

    def __repr__(self) -> str:
        return f"RouteRunnable(routes={list(self.routes)})"

    # What routing asks of it

    @property
    def own_config(self) -> RunnableConfig:
        """The config of every call: none."""
        return {}

    @property
    def serialized(self) -> dict[str, Any]:
        """What traces show of it."""
        return {"name": self.get_name(), "repr": repr(self), "type": "not_implemented"}

    @property
    def record_key(self) -> str:
        """Where a message's `response_metadata` holds the record."""
        return "route"

    def _routing(self, given: Any, config: RunnableConfig | None, options: dict[str, Any]) -> Routing:
        return Routing(self, self, given, config, partial(self._read, given, options))

    def _read(
        self, given: Any, options: Mapping[str, Any], run: ChainRun, config: RunnableConfig
    ) -> tuple[Query, Context, RouteExchange]:
        named = (config.get("metadata") or {}).get("router_query")
        text = question_in(given, self._question) if named is None else str(named)
        messages = spoken_in(given)
        query = query_of(
            text, messages, config, {}, run_id=str(run.run_id), pinned=None, candidates=self.routes, structured=False
        )
        exchange = RouteExchange(
            routes=self.routes, embedders=self._embedders, given=given, options=options, config=config, run=run
        )
        return query, context_of(query, (), config, {}), exchange

    # The ways to call it

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - LangChain's name
        """Return the output of the route that the router chooses."""
        return self._routing(input, config, kwargs).invoke()

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - LangChain's name
        """Return the output of the route that the router chooses."""
        return await self._routing(input, config, kwargs).ainvoke()

    def stream(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Yield the chosen route's pieces; the route may change until it has shown something, never after."""
        return self._routing(input, config, kwargs).stream()

    async def astream(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Yield the chosen route's pieces; the route may change until it has shown something, never after."""
        async with aclosing(self._routing(input, config, kwargs).astream()) as pieces:
            async for piece in pieces:
                yield piece

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The per-call settings: the router's own, and those of the routes."""
        theirs = [spec for route in self.routes.values() for spec in route.config_specs]
        return list(get_unique_config_specs([*SPECS, *theirs]))
