"""Routing one call: open the router's run, read the request, dispatch it, hand over the candidate's own answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any, Protocol, TypeAlias

from langchain_core.runnables import Runnable, RunnableConfig

from langchain_router.exchange import CandidateCall, Exchange
from langchain_router.feedback import RunFeedback
from langchain_router.record import output_of, run_record, stamped
from langchain_router.runs import ChainRun, aopen_run, merged, open_run
from langchain_router.streaming import CHUNKS, Form, Relay, aopen_chunks, open_chunks
from pointsman.dispatch import Dispatcher
from pointsman.failures import Surfacing
from pointsman.types import Context, Delta, Query, Response, Trace

__all__ = ["Read", "Routed", "Routing"]

Read: TypeAlias = Callable[[ChainRun, RunnableConfig], tuple[Query, Context, Exchange]]
"""Reads what is asked, under the router's run and config, and sets up how it will be sent."""


class Routed(Protocol):
    """What is called: it has a dispatcher, and says how its calls are traced and where their record stands."""

    @property
    def dispatcher(self) -> Dispatcher:
        """Who carries the calls through."""

    @property
    def feedback(self) -> RunFeedback | None:
        """Who is told which decision was made under which run."""

    @property
    def own_config(self) -> RunnableConfig:
        """The config of every call."""

    @property
    def serialized(self) -> dict[str, Any]:
        """What traces show of it."""

    @property
    def record_key(self) -> str:
        """Where a message's metadata hold the record."""


class Routing:
    """One call of a router, in each of the ways LangChain makes calls.

    Parameters:
        routed: What is called.
        runnable: What the user holds: the same, or something made of it.
        given: The input of the call.
        config: Its config.
        read: Reads the request.
    """

    __slots__ = ("_config", "_given", "_read", "_routed", "_runnable")

    def __init__(
        self,
        routed: Routed,
        runnable: Runnable[Any, Any],
        given: Any,
        config: RunnableConfig | None,
        read: Read,
    ) -> None:
        self._routed = routed
        self._runnable = runnable
        self._given = given
        self._config = merged(routed.own_config, config)
        self._read = read

    def invoke(self) -> Any:
        """Return the answer."""
        run = open_run(self._config, self._given, self._routed.serialized, self._runnable.get_name())
        try:
            query, context, exchange = self._read(run, self._config)
            with Surfacing():
                trace = self._routed.dispatcher.run(query, context, perform=exchange.perform)
            output = self._told(run, trace)
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(output)
        return output

    async def ainvoke(self) -> Any:
        """Return the answer."""
        run = await aopen_run(self._config, self._given, self._routed.serialized, self._runnable.get_name())
        try:
            query, context, exchange = self._read(run, self._config)
            with Surfacing():
                trace = await self._routed.dispatcher.arun(query, context, aperform=exchange.aperform)
            output = self._told(run, trace)
        except BaseException as error:
            await run.on_chain_error(error)
            raise
        await run.on_chain_end(output)
        return output

    def stream(self) -> Iterator[Any]:
        """Yield the answer in the candidate's own chunks."""

        def relaying(_: Iterator[Any], run_manager: Any, config: RunnableConfig) -> Iterator[Any]:
            yield from self._relay(run_manager, config, open_chunks, self._relaying(run_manager, CHUNKS))

        transform = self._runnable._transform_stream_with_config  # noqa: SLF001 - meant for those who implement `stream`
        yield from transform(iter([self._given]), relaying, self._config, run_type="chain")

    async def astream(self) -> AsyncGenerator[Any, None]:
        """Yield the answer in the candidate's own chunks."""

        async def relaying(_: AsyncIterator[Any], run_manager: Any, config: RunnableConfig) -> AsyncIterator[Any]:
            relay = self._relaying(run_manager, CHUNKS)
            async with aclosing(self._arelay(run_manager, config, aopen_chunks, relay)) as pieces:
                async for piece in pieces:
                    yield piece

        async def inputs() -> AsyncIterator[Any]:
            yield self._given

        transform = self._runnable._atransform_stream_with_config  # noqa: SLF001 - meant for those who implement `astream`
        transformed: Any = transform(inputs(), relaying, self._config, run_type="chain")
        async with aclosing(transformed):
            async for piece in transformed:
                yield piece

    def events(self) -> Generator[Any, None, None]:
        """Yield the events of LangChain's typed protocol."""
        from langchain_router.typed_stream import EVENTS, open_events

        run = open_run(self._config, self._given, self._routed.serialized, self._runnable.get_name())
        relay = self._relaying(run, EVENTS)
        try:
            yield from self._relay(run, self._config, open_events, relay)
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(relay.output)

    async def aevents(self) -> AsyncGenerator[Any, None]:
        """Yield the events of LangChain's typed protocol."""
        from langchain_router.typed_stream import EVENTS, aopen_events

        run = await aopen_run(self._config, self._given, self._routed.serialized, self._runnable.get_name())
        relay = self._relaying(run, EVENTS)
        try:
            async with aclosing(self._arelay(run, self._config, aopen_events, relay)) as events:
                async for event in events:
                    yield event
        except BaseException as error:
            await run.on_chain_error(error)
            raise
        await run.on_chain_end(relay.output)

    def _told(self, run: ChainRun, trace: Trace) -> Any:
        """Return the answer with its record, once its run is noted."""
        self._note(run, trace)
        return stamped(output_of(trace), run_record(trace, run.run_id, self._routed.record_key))

    def _relaying(self, run: ChainRun, form: Form) -> Relay:
        return Relay(run.run_id, form, self._routed.record_key, partial(self._note, run))

    def _note(self, run: ChainRun, trace: Trace) -> None:
        if self._routed.feedback is not None:
            self._routed.feedback.note(trace, run.run_id, run.parent_run_id)

    def _relay(
        self,
        run: ChainRun,
        config: RunnableConfig,
        open_candidate: Callable[[CandidateCall], Iterator[Delta | Response]],
        relay: Relay,
    ) -> Iterator[Any]:
        query, context, exchange = self._read(run, config)
        with Surfacing():
            yield from relay.pieces(
                self._routed.dispatcher.stream(
                    query,
                    context,
                    open_stream=lambda call: open_candidate(exchange.prepare(call)),
                    perform=exchange.perform,
                )
            )

    async def _arelay(
        self,
        run: ChainRun,
        config: RunnableConfig,
        aopen_candidate: Callable[[CandidateCall], AsyncIterator[Delta | Response]],
        relay: Relay,
    ) -> AsyncGenerator[Any, None]:
        query, context, exchange = self._read(run, config)
        with Surfacing():
            answer = self._routed.dispatcher.astream(
                query,
                context,
                aopen_stream=lambda call: aopen_candidate(exchange.prepare(call)),
                aperform=exchange.aperform,
            )
            async with aclosing(relay.apieces(answer)) as pieces:
                async for piece in pieces:
                    yield piece
