"""Routing one call: open the router's run, read the request, dispatch it, hand over the candidate's own answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_router.exchange import CandidateCall, Exchange, Operation
from langchain_router.record import output_of, run_record, stamped
from langchain_router.request import context_of, query_of, spoken
from langchain_router.runs import ChainRun, aopen_run, merged, open_run
from langchain_router.streaming import CHUNKS, Relay, aopen_chunks, open_chunks
from pointsman.failures import Surfacing
from pointsman.types import Context, Delta, Query, Response

if TYPE_CHECKING:
    from langchain_router.surface import RoutedChatModel

__all__ = ["Routing"]


class Routing:
    """One call of a router, in each of the ways LangChain makes calls.

    Parameters:
        llm: The router that is called.
        runnable: What the user holds: the router, or something made of it.
        given: The input of the call.
        config: Its config.
        options: Its keyword arguments.
        operation: What to make of the chosen candidate before it is called.
    """

    __slots__ = ("_config", "_given", "_llm", "_operation", "_options", "_runnable")

    def __init__(
        self,
        llm: RoutedChatModel,
        runnable: Runnable[LanguageModelInput, Any],
        given: LanguageModelInput,
        config: RunnableConfig | None,
        options: dict[str, Any],
        operation: Operation | None = None,
    ) -> None:
        self._llm = llm
        self._runnable = runnable
        self._given = given
        self._config = merged(llm.own_config, config)
        self._options = options
        self._operation = operation

    def invoke(self) -> Any:
        """Return the answer."""
        run = open_run(self._config, self._given, self._llm.serialized, self._runnable.get_name())
        try:
            query, context, exchange = self._read(run, self._config)
            with Surfacing():
                trace = self._llm.dispatcher.run(query, context, perform=exchange.perform)
            output = stamped(output_of(trace), run_record(trace, run.run_id))
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(output)
        return output

    async def ainvoke(self) -> Any:
        """Return the answer."""
        run = await aopen_run(self._config, self._given, self._llm.serialized, self._runnable.get_name())
        try:
            query, context, exchange = self._read(run, self._config)
            with Surfacing():
                trace = await self._llm.dispatcher.arun(query, context, aperform=exchange.aperform)
            output = stamped(output_of(trace), run_record(trace, run.run_id))
        except BaseException as error:
            await run.on_chain_error(error)
            raise
        await run.on_chain_end(output)
        return output

    def stream(self) -> Iterator[Any]:
        """Yield the answer in the candidate's own chunks."""

        def relaying(_: Iterator[Any], run_manager: Any, config: RunnableConfig) -> Iterator[Any]:
            yield from self._relay(run_manager, config, open_chunks, Relay(run_manager.run_id, CHUNKS))

        transform = self._runnable._transform_stream_with_config  # noqa: SLF001 - meant for those who implement `stream`
        yield from transform(iter([self._given]), relaying, self._config, run_type="chain")

    async def astream(self) -> AsyncGenerator[Any, None]:
        """Yield the answer in the candidate's own chunks."""

        async def relaying(_: AsyncIterator[Any], run_manager: Any, config: RunnableConfig) -> AsyncIterator[Any]:
            relay = Relay(run_manager.run_id, CHUNKS)
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

        run = open_run(self._config, self._given, self._llm.serialized, self._runnable.get_name())
        relay = Relay(run.run_id, EVENTS)
        try:
            yield from self._relay(run, self._config, open_events, relay)
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(relay.output)

    async def aevents(self) -> AsyncGenerator[Any, None]:
        """Yield the events of LangChain's typed protocol."""
        from langchain_router.typed_stream import EVENTS, aopen_events

        run = await aopen_run(self._config, self._given, self._llm.serialized, self._runnable.get_name())
        relay = Relay(run.run_id, EVENTS)
        try:
            async with aclosing(self._arelay(run, self._config, aopen_events, relay)) as events:
                async for event in events:
                    yield event
        except BaseException as error:
            await run.on_chain_error(error)
            raise
        await run.on_chain_end(relay.output)

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
                self._llm.dispatcher.stream(
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
            answer = self._llm.dispatcher.astream(
                query,
                context,
                aopen_stream=lambda call: aopen_candidate(exchange.prepare(call)),
                aperform=exchange.aperform,
            )
            async with aclosing(relay.apieces(answer)) as pieces:
                async for piece in pieces:
                    yield piece

    def _read(self, run: ChainRun, config: RunnableConfig) -> tuple[Query, Context, Exchange]:
        """Read what is asked, and set up how it will be sent."""
        llm = self._llm
        options = {**llm.defaults, **self._options}
        pinned = options.pop("model", None)
        text, messages = spoken(self._given, config, llm.query)
        query = query_of(
            text,
            messages,
            config,
            options,
            run_id=str(run.run_id),
            pinned=pinned,
            candidates=llm.models,
            structured=self._operation is not None,
        )
        exchange = Exchange(
            candidates=llm.models,
            embedders=llm.embedders,
            given=self._given,
            options=options,
            operation=self._operation,
            config=config,
            run=run,
        )
        return query, context_of(query, messages, config, llm.models), exchange
