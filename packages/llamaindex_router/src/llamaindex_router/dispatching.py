"""Dispatching one call: read the request, dispatch it under the router's span, hand over the candidate's own answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from llama_index.core.instrumentation.span import active_span_id

from llamaindex_router.asking import Asked
from llamaindex_router.exchange import Exchange
from llamaindex_router.per_call import wishes
from llamaindex_router.record import output_of, stamped, tell
from llamaindex_router.request import context_of, query_of
from llamaindex_router.streaming import Relay, aopen_pieces, open_pieces
from pointsman.dispatch import record_of
from pointsman.errors import PointsmanError
from pointsman.failures import Surfacing
from pointsman.types import Context, Query, Trace

if TYPE_CHECKING:
    from llamaindex_router.surface import RoutedLLM

__all__ = ["Routing"]

_END: Any = object()


class Routing:
    """One call of a router, in each of the ways LlamaIndex makes calls.

    A stream is opened, up to the first piece that shows something, before it is returned: so everything it needs happens
    under the router's span, and what fails by then can still go elsewhere.

    Parameters:
        llm: The router that is called.
        asked: The call.
    """

    __slots__ = ("_asked", "_llm")

    def __init__(self, llm: RoutedLLM, asked: Asked) -> None:
        self._llm = llm
        self._asked = asked

    def run(self) -> Any:
        """Return the answer."""
        query, context, exchange = self._read()
        with _Telling():
            trace = self._llm.dispatcher.run(query, context, perform=exchange.perform)
        return _told(trace)

    async def arun(self) -> Any:
        """Return the answer."""
        query, context, exchange = self._read()
        with _Telling():
            trace = await self._llm.dispatcher.arun(query, context, aperform=exchange.aperform)
        return _told(trace)

    def stream(self) -> Generator[Any, None, None]:
        """Return the answer in the candidate's own pieces."""
        pieces = self._relay(active_span_id.get())
        return _resumed(next(pieces, _END), pieces)

    async def astream(self) -> AsyncGenerator[Any, None]:
        """Return the answer in the candidate's own pieces."""
        pieces = self._arelay(active_span_id.get())
        return _aresumed(await anext(pieces, _END), pieces)

    def _relay(self, span_id: str | None) -> Generator[Any, None, None]:
        query, context, exchange = self._read()
        with Surfacing():
            answer = self._llm.dispatcher.stream(
                query, context, open_stream=partial(open_pieces, exchange), perform=exchange.perform
            )
            yield from Relay(exchange.record, span_id).pieces(answer)

    async def _arelay(self, span_id: str | None) -> AsyncGenerator[Any, None]:
        query, context, exchange = self._read()
        with Surfacing():
            answer = self._llm.dispatcher.astream(
                query, context, aopen_stream=partial(aopen_pieces, exchange), aperform=exchange.aperform
            )
            async with aclosing(Relay(exchange.record, span_id).apieces(answer)) as pieces:
                async for piece in pieces:
                    yield piece

    def _read(self) -> tuple[Query, Context, Exchange]:
        """Read what is asked, and set up how it will be sent."""
        llm, asked, wish = self._llm, self._asked, wishes()
        its_own_question = asked.alone and llm.query is None and wish.query is None
        messages = () if its_own_question else asked.messages
        query = query_of(asked, messages, llm.query, wish, llm.models)
        context = context_of(asked, messages, query, wish, llm.models, llm.tool_calls, llm.context_window)
        exchange = Exchange(candidates=llm.models, embedders=llm.embedders, asked=asked, calls=llm.tool_calls)
        return query, context, exchange


def _told(trace: Trace) -> Any:
    """Tell of an answered call and return the answer with its record."""
    record = record_of(trace)
    tell(trace, record, active_span_id.get())
    return stamped(output_of(trace), record)


class _Telling(Surfacing):
    """Tells of a call that failed, and raises the provider's own exception in place of the core's."""

    __slots__ = ()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, PointsmanError) and error.trace is not None:
            tell(error.trace, record_of(error.trace), active_span_id.get())
        super().__exit__(kind, error, traceback)


def _resumed(first: Any, pieces: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """Yield a first piece and all that follow."""
    with closing(pieces):
        if first is not _END:
            yield first
            yield from pieces


async def _aresumed(first: Any, pieces: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    """Yield a first piece and all that follow."""
    async with aclosing(pieces):
        if first is not _END:
            yield first
            async for piece in pieces:
                yield piece
