"""Plain HTTP for the tests of the replay server: what goes over the wire, seen without any client library."""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from pointsman.testing.replay_server import ReplayServer


@dataclass
class Raw:
    """A reply as it came."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON it holds."""
        return json.loads(self.content)

    @property
    def events(self) -> list[Any]:
        """The JSON events of a stream, which must have ended as it should."""
        *events, last = [line.removeprefix(b"data: ") for line in self.content.split(b"\n\n") if line]
        assert last == b"[DONE]"
        return [json.loads(event) for event in events]


@pytest.fixture
def send() -> Callable[..., Raw]:
    """Send one request and return the raw reply."""

    def send(server: ReplayServer, method: str, path: str, body: Any = None, headers: Any = None) -> Raw:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        try:
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, data, headers or {})
            reply = connection.getresponse()
            return Raw(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    return send


@pytest.fixture
def ask(send: Callable[..., Raw]) -> Callable[..., Raw]:
    """Ask a model one question over plain HTTP."""

    def ask(server: ReplayServer, model: str, content: Any, **fields: Any) -> Raw:
        messages = fields.pop("messages", [{"role": "user", "content": content}])
        return send(server, "POST", "/v1/chat/completions", {"model": model, "messages": messages, **fields})

    return ask


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Wait until something holds, at most five seconds: a hang-up reaches the server a moment after it happens."""

    def eventually(holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 5
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.005)
        return holds()

    return eventually
