"""A toy framework and an honest adapter for it: clients over plain HTTP, events in a list, spans in a context variable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from pointsman.dispatch import Dispatcher
from pointsman.failures import Surfacing, may_pass
from pointsman.flow import Effect, Outcome
from pointsman.testing.adapters.driver import AdapterDriver, Program, Watched
from pointsman.types import Call, CallError, Delta, Query, Response, Usage

__all__ = ["ToyClient", "ToyDriver", "ToyError", "ToyEvent", "ToyRouter"]

_OK = 200
_SPAN: ContextVar[str | None] = ContextVar("toy_span", default=None)


class ToyError(Exception):
    """What the toy's provider refused."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyEvent:
    """What the toy framework is told of one LLM call."""

    span: str | None
    input_tokens: int
    output_tokens: int


class ToyClient:
    """A model of the toy framework; it tells of each of its calls."""

    def __init__(self, model: str, url: str, key: str, events: list[ToyEvent]) -> None:
        self.model = model
        self.url = urlsplit(url)
        self.key = key
        self.events = events

    def __repr__(self) -> str:
        return f"ToyClient({self.model!r})"

    def stream(self, text: str) -> Iterator[str | Usage]:
        """Yield pieces of the answer, and what it used last."""
        usage = Usage(input_tokens=0, output_tokens=0)
        connection = HTTPConnection(str(self.url.hostname), self.url.port, timeout=60)
        try:
            body = {"model": self.model, "messages": [{"role": "user", "content": text}]}
            told = {"stream": True, "stream_options": {"include_usage": True}}
            head = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request("POST", f"{self.url.path}/chat/completions", json.dumps(body | told), head)
            reply = connection.getresponse()
            if reply.status != _OK:
                raise ToyError(reply.status)
            for chunk in _chunks(reply.read().decode()):
                if (used := chunk.get("usage")) is not None:
                    usage = Usage(input_tokens=used["prompt_tokens"], output_tokens=used["completion_tokens"])
                yield from (one["delta"]["content"] for one in chunk["choices"] if one["delta"].get("content"))
        finally:
            connection.close()
        self.tell(usage)
        yield usage

    def tell(self, usage: Usage) -> None:
        """Tell the framework of a call."""
        into, out = usage.input_tokens or 0, usage.output_tokens or 0
        self.events.append(ToyEvent(span=_SPAN.get(), input_tokens=into, output_tokens=out))


def _chunks(body: str) -> Iterator[dict[str, Any]]:
    lines = (line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: {"))
    yield from map(json.loads, lines)


class ToyRouter:
    """The toy framework's routed model: an honest adapter in a few lines."""

    def __init__(self, clients: Mapping[str, ToyClient], dispatcher: Dispatcher) -> None:
        self.clients = clients
        self.dispatcher = dispatcher

    def __repr__(self) -> str:
        return f"ToyRouter({list(self.clients.values())})"

    def chat(self, question: str) -> str:
        """Return the answer to a question."""
        return "".join(self.inside(partial(self._answered, question)))

    def stream(self, question: str) -> list[str]:
        """Return the pieces of the answer as they were shown."""
        return self.inside(partial(self._streamed, question))

    def _answered(self, question: str) -> list[str]:
        trace = self.dispatcher.run(self.query(question), perform=self.performer(question))
        return [] if trace.answer is None else [str(trace.answer.content)]

    def _streamed(self, question: str) -> list[str]:
        perform = self.performer(question)
        opened = self.dispatcher.stream(self.query(question), open_stream=partial(self.open, question), perform=perform)
        with opened:
            return [delta.text for delta in opened]

    def query(self, question: str) -> Query:
        """Return the query of a question."""
        return Query(text=question)

    def inside(self, act: Callable[[], list[str]]) -> list[str]:
        """Do something under the router's span, and let the provider's own errors through."""
        token = _SPAN.set("router")
        try:
            with Surfacing():
                return act()
        finally:
            _SPAN.reset(token)

    def performer(self, question: str) -> Callable[[Effect], Outcome]:
        """Return what performs a plan's calls for a question."""

        def perform(effect: Effect) -> Outcome:
            *_, response = self.open(question, effect)
            return response  # type: ignore[return-value]

        return perform

    def open(self, question: str, effect: Effect) -> Iterator[Delta | Response]:
        """Yield a call's deltas, and its response last."""
        if not isinstance(effect, Call):
            raise TypeError("The toy framework has no embeddings.")
        text = question if effect.messages is None else effect.messages[-1].text
        pieces: list[str] = []
        usage: Usage | None = None
        try:
            for piece in self.clients[effect.model].stream(text):
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    pieces.append(piece)
                    yield Delta(text=piece)
        except ToyError as error:
            raise self.failure(effect.model, error) from error
        yield Response(model=effect.model, text="".join(pieces), usage=usage)

    def failure(self, model: str, error: ToyError) -> CallError:
        """Return a refusal as the core's."""
        return CallError(model, str(error), status=error.status, retryable=may_pass(error.status))


class ToyDriver(AdapterDriver):
    """The driver of the toy's adapter; saboteurs replace one part of it."""

    router: type[ToyRouter] = ToyRouter
    client: type[ToyClient] = ToyClient

    def __init__(self) -> None:
        self.events: list[ToyEvent] = []

    def build(self, url: str, dispatcher: Dispatcher) -> Any:
        """Return a routed model."""
        clients = {name: self.client(name, url, self.key, self.events) for name in dispatcher.router.models}
        return self.router(clients, dispatcher)

    def ask(self, llm: Any, way: str, question: str) -> Sequence[str]:
        """Ask; the asynchronous ways do the same in a thread that is awaited."""
        act = partial(llm.stream, question) if way.endswith("stream") else partial(llm.chat, question)
        done = _awaited(act) if way.startswith("a") else act()
        return [done] if isinstance(done, str) else done

    def watch(self, llm: Any, act: Callable[[], object]) -> Watched:
        """Count the events that come meanwhile."""
        self.events.clear()
        act()
        return Watched(
            llm_events=len(self.events),
            nested=sum(event.span == "router" for event in self.events),
            input_tokens=sum(event.input_tokens for event in self.events),
            output_tokens=sum(event.output_tokens for event in self.events),
        )

    def programs(self) -> Mapping[str, Program]:
        """Return a program that thinks twice."""
        return {"twice": lambda llm, question: llm.chat(question) and llm.chat(question)}

    def serialised(self, llm: Any) -> Mapping[str, str]:
        """Return the repr."""
        return {"repr": repr(llm)}


def _awaited(act: Callable[[], Any]) -> Any:
    """Await an act in an event loop of a thread of its own, as the caller may be inside one."""

    async def acting() -> Any:
        return await asyncio.to_thread(act)

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(copy_context().run, asyncio.run, acting()).result()
