"""One client's connection: requests read, faults suffered, replies sent, and what came of it entered in the books."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from socket import MSG_PEEK
from typing import TYPE_CHECKING, Any

from pointsman.testing.replay_server.asking import ChatRequest, EmbeddingRequest
from pointsman.testing.replay_server.composing import Reply, compose
from pointsman.testing.replay_server.refusal import Refusal, refusal_of_status
from pointsman.testing.replay_server.tokens import Tokens, pieces
from pointsman.testing.replay_server.vectors import embed
from pointsman.testing.replay_server.wire import Chunk, chunks, completion, embeddings, models

if TYPE_CHECKING:
    from pointsman.testing.replay_server.faults import Fault
    from pointsman.testing.replay_server.listener import Listener

__all__ = ["Handler"]


class Handler(BaseHTTPRequestHandler):
    """Serves one connection until either side ends it.

    A connection that fails, whoever broke it, raises OSError: `handle` then enters the reply as not completed. A
    client that hangs up with bytes unread resets the connection, which shows even after the last byte was sent.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    _request_id = ""
    _entered = False  # whether the books know the request under way

    def handle(self) -> None:
        """Serve requests until the connection ends, and note a reply that it cut short."""
        try:
            super().handle()
        except OSError:
            if self._entered:
                self.server.service.ledger.complete(self._request_id, completed=False)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not HTTP, or a method nobody serves."""
        self._begin()
        self.close_connection = True
        self._refuse(Refusal(message or explain or "bad request", status=code))

    def do_GET(self) -> None:
        """Serve the list of models."""
        self._begin()
        if self._endpoint() == "/v1/models":
            self._send(200, models(self.server.service.recordings.models))
        else:
            self._refuse(Refusal(f"no such endpoint: GET {self.path}", status=404))

    def do_POST(self) -> None:
        """Serve chat completions and embeddings."""
        self._begin()
        endpoints = {"/v1/chat/completions": self._chat, "/v1/embeddings": self._embed}
        try:
            body = self._body()
            endpoints.get(self._endpoint(), self._nowhere)(body)
        except Refusal as refusal:
            self._refuse(refusal)
        except OSError:
            raise  # the connection is gone; `handle` knows what that means
        except Exception as error:  # noqa: BLE001 - as a provider would: the client hears of it, the others are served on
            self._refuse(Refusal(f"the server failed: {error!r}", status=500, kind="server_error"))

    def _nowhere(self, _: Mapping[str, Any]) -> None:
        raise Refusal(f"no such endpoint: POST {self.path}", status=404)

    def _chat(self, body: Mapping[str, Any]) -> None:
        request = ChatRequest.parse(body)
        fault = self._enter(body, streamed=request.streamed)
        reply = compose(request, self.server.service.recorded(request))
        if request.streamed:
            self._stream(reply, body, fault)
        else:
            self._wait(reply.latency_s)
            self._send(200, completion(reply, body, self._request_id), tokens=reply.tokens, fault=fault)

    def _embed(self, body: Mapping[str, Any]) -> None:
        request = EmbeddingRequest.parse(body)
        fault = self._enter(body, streamed=False)
        dimensions = request.dimensions or self.server.service.dimensions
        vectors = [embed(text, dimensions) for text in request.texts]
        tokens = Tokens(input=request.prompt_tokens)
        self._send(200, embeddings(vectors, body, tokens.input), tokens=tokens, fault=fault)

    # The request

    def _begin(self) -> None:
        self._request_id = self.server.service.next_id()
        self._entered = False

    def _endpoint(self) -> str:
        return self.path.partition("?")[0]

    def _body(self) -> Mapping[str, Any]:
        if not self.headers.get("content-length", "").isdecimal():
            self.close_connection = True
            raise Refusal("a body must come with its content-length", status=411)
        raw = self.rfile.read(int(self.headers["content-length"]))
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise Refusal(f"the body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise Refusal(f"the body must be a JSON object, got {type(body).__name__}")
        return body

    def _enter(self, body: Mapping[str, Any], *, streamed: bool) -> Fault | None:
        """Enter the request in the books, and suffer the fault that strikes it as far as it precedes the reply."""
        service, model = self.server.service, body["model"]
        service.ledger.open(self._request_id, model=model, path=self._endpoint(), streamed=streamed, request=body)
        self._entered = True
        fault = service.faults.take(model)
        if fault is None:
            return None
        self._wait(fault.delay_s)
        if fault.status is not None:
            raise refusal_of_status(fault.status, model, retry_after=fault.retry_after)
        if fault.hang:
            self._wait(None)
        if fault.hang or fault.drop or (fault.after_tokens is not None and not streamed):
            raise ConnectionAbortedError("dropped on demand")
        return fault

    def _wait(self, seconds: float | None) -> None:
        """Stay silent for `seconds` (None: for ever); raise ConnectionError as soon as the client hangs up."""
        self.connection.settimeout(seconds)
        try:
            waiting = self.connection.recv(1, MSG_PEEK)
        except (BlockingIOError, TimeoutError):
            return
        finally:
            self.connection.settimeout(None)
        if not waiting:
            raise ConnectionAbortedError("the client hung up")
        self.server.stopping.wait(seconds)  # it has sent its next request already, so its end would not show

    # The reply

    def _refuse(self, refusal: Refusal) -> None:
        later = {} if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:g}"}
        self._send(refusal.status, refusal.body, headers=later)

    def _send(
        self,
        status: int,
        body: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        tokens: Tokens | None = None,
        fault: Fault | None = None,
    ) -> None:
        """Send a whole JSON reply, or half of it if `fault` makes it malformed."""
        payload = _json(body, fault)
        self._wait(0)
        self._head(status, {"content-type": "application/json", "content-length": str(len(payload)), **(headers or {})})
        if self._entered:
            self.server.service.ledger.reply(self._request_id, status=status, tokens=tokens or Tokens())
            self.server.service.ledger.complete(self._request_id, completed=fault is None or not fault.malformed)
        self.wfile.write(payload)

    def _stream(self, reply: Reply, body: Mapping[str, Any], fault: Fault | None) -> None:
        """Send a reply token by token, spread over its latency, to its end or to where `fault` breaks it."""
        ledger, sent = self.server.service.ledger, 0
        events = chunks(reply, body, self._request_id)
        if fault is not None and fault.after_tokens is not None:
            events = _broken(events, fault.after_tokens)
        pause = reply.latency_s / (len(pieces(reply.text)) * reply.choices + 1)
        self._wait(pause)
        self._head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        ledger.reply(self._request_id, status=200, tokens=replace(reply.tokens, output=0, reasoning=0))
        for event in events:
            if event.token:
                self._wait(pause)
                sent += 1
                shown = min(reply.tokens.output, reply.tokens.reasoning + sent)
                ledger.reply(self._request_id, status=200, tokens=replace(reply.tokens, output=shown))
            self.wfile.write(_event(_json(event.body, fault)))
        self._wait(0)
        if fault is not None and fault.after_tokens is not None:
            raise ConnectionAbortedError("broken on demand")
        ledger.reply(self._request_id, status=200, tokens=reply.tokens)
        ledger.complete(self._request_id, completed=fault is None or not fault.malformed)
        # Together: a client that has read "[DONE]" may hang up, and must not leave the end of the body unread.
        self.wfile.write(_event(b"[DONE]") + b"0\r\n\r\n")

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "x-request-id": self._request_id}.items():
            self.send_header(name, value)
        self.end_headers()


def _json(body: Mapping[str, Any], fault: Fault | None) -> bytes:
    """Return `body` as JSON, its first half only if `fault` damages replies."""
    payload = json.dumps(body).encode()
    return payload[: len(payload) // 2] if fault is not None and fault.malformed else payload


def _event(data: bytes) -> bytes:
    """Return `data` as a server-sent event in an HTTP chunk of its own."""
    event = b"data: " + data + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)


def _broken(events: Iterator[Chunk], after: int) -> Iterator[Chunk]:
    """Yield `events` until `after` tokens are out, at the latest to the end of the first choice's tokens."""
    sent = 0
    for event in events:
        if (event.token and sent == after) or (sent and not event.token):
            return
        sent += bool(event.token)
        yield event
