"""The server as an HTTP server: errors, headers, keep-alive, its start and its end."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from pointsman.testing.replay_server import Fault, Recorded, ReplayServer
from pointsman.testing.replay_server.handler import Handler

ANSWERS = {("b", "q"): Recorded(text="answer"), ("a", "q"): Recorded(text="other"), ("b", "r"): Recorded(text="r")}
BODY = {"model": "b", "messages": [{"role": "user", "content": "q"}]}


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """Serve two models."""
    with ReplayServer(ANSWERS) as running:
        yield running


def test_models_are_those_recorded(server: ReplayServer, send: Callable[..., Any]) -> None:
    """Each once, in the order they were given."""
    reply = send(server, "GET", "/v1/models?limit=9")
    assert [model["id"] for model in reply.body["data"]] == ["b", "a"]
    assert reply.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("GET", "/v1/nothing", None, 404, None),
        ("POST", "/v1/nothing", {}, 404, None),
        ("DELETE", "/v1/models", None, 501, None),
        ("POST", "/v1/chat/completions", b"{not json", 400, None),
        ("POST", "/v1/chat/completions", b"[]", 400, None),
        ("POST", "/v1/chat/completions", {"messages": BODY["messages"]}, 400, "model"),
        ("POST", "/v1/chat/completions", {"model": "b", "messages": []}, 400, "messages"),
        ("POST", "/v1/chat/completions", {"model": "b", "messages": ["q"]}, 400, "messages"),
        ("POST", "/v1/chat/completions", {**BODY, "n": 0}, 400, "n"),
        ("POST", "/v1/chat/completions", {**BODY, "max_tokens": "9"}, 400, "max_tokens"),
        ("POST", "/v1/chat/completions", {**BODY, "stop": 3}, 400, "stop"),
        ("POST", "/v1/embeddings", {"input": "q"}, 400, "model"),
        ("POST", "/v1/embeddings", {"model": "e"}, 400, "input"),
        ("POST", "/v1/embeddings", {"model": "e", "input": [None]}, 400, "input"),
        ("POST", "/v1/embeddings", {"model": "e", "input": "q", "dimensions": 0}, 400, "dimensions"),
    ],
)
def test_bad_requests_get_errors_of_the_right_shape(
    server: ReplayServer, send: Callable[..., Any], method: str, path: str, body: Any, status: int, param: str | None
) -> None:
    """Message, type, param and code, a request id, and no entry in the books."""
    before = server.ledger
    reply = send(server, method, path, body)
    assert reply.status == status
    assert reply.body["error"].keys() == {"message", "type", "param", "code"}
    assert reply.body["error"]["message"]
    assert reply.body["error"]["param"] == param
    assert reply.headers["x-request-id"].startswith("req_")
    assert server.ledger == before


def test_body_without_length_is_refused(server: ReplayServer) -> None:
    """A chunked request body is named as what is not served."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.request("POST", "/v1/chat/completions", iter([b"{}"]), {"transfer-encoding": "chunked"})
    reply = connection.getresponse()
    assert reply.status == 411
    assert "content-length" in json.loads(reply.read())["error"]["message"]
    connection.close()


def test_bug_is_a_server_error_and_the_next_request_is_served(server: ReplayServer, ask: Callable[..., Any]) -> None:
    """A schema that is no schema at all must not take the connection, or the server, with it."""
    broken = {"type": "json_schema", "json_schema": {"schema": {"properties": 3}}}
    reply = ask(server, "b", "q", response_format=broken)
    assert (reply.status, reply.body["error"]["type"]) == (500, "server_error")
    assert ask(server, "b", "q").status == 200


def test_connection_is_kept_alive_over_errors_and_streams(server: ReplayServer) -> None:
    """One connection carries answers, streams and errors in turn, each with an id of its own."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.connect()
    used, ids = connection.sock, set()
    for fields, status in (({}, 200), ({"model": "none"}, 404), ({"stream": True}, 200), ({"n": 0}, 400), ({}, 200)):
        connection.request("POST", "/v1/chat/completions", json.dumps({**BODY, **fields}))
        reply = connection.getresponse()
        assert reply.status == status
        ids.add(reply.getheader("x-request-id"))
        reply.read()
        assert connection.sock is used
    connection.close()
    assert len(ids) == 5


def test_small_packets_are_not_held_back(monkeypatch: pytest.MonkeyPatch, send: Callable[..., Any]) -> None:
    """Every socket the server accepts has TCP_NODELAY set."""
    options = []
    original = socket.socket.setsockopt

    def spy(self: socket.socket, *option: Any) -> None:
        options.append((self.getsockname(), option))
        original(self, *option)

    monkeypatch.setattr(socket.socket, "setsockopt", spy)
    with ReplayServer(ANSWERS) as server:
        send(server, "GET", "/v1/models")
        own = ("127.0.0.1", urlsplit(server.url).port)
    assert (own, (socket.IPPROTO_TCP, socket.TCP_NODELAY, True)) in options


def test_requests_sent_ahead_are_answered_in_order(server: ReplayServer) -> None:
    """Two requests in one packet get two replies, though a hang-up cannot be seen behind them."""
    payloads = [json.dumps({**BODY, "messages": [{"role": "user", "content": text}]}).encode() for text in "qr"]
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b"
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=10) as connection:
        connection.sendall(b"".join(request % (len(payload), payload) for payload in payloads))
        received = b""
        while received.count(b"finish_reason") < 2:
            received += connection.recv(65536)
    assert 0 < received.index(b'"answer"') < received.index(b'"r"')


def test_end_joins_every_thread_and_frees_the_port(eventually: Callable[..., bool]) -> None:
    """Idle, hanging and delayed connections end with the block, at once and silently."""
    before = set(threading.enumerate())
    faults = [Fault(hang=True), Fault(delay_s=60)]
    with ReplayServer(ANSWERS, faults=faults) as server:
        netloc = urlsplit(server.url).netloc
        connections = [http.client.HTTPConnection(netloc, timeout=10) for _ in range(3)]
        for connection in connections[:2]:
            connection.request("POST", "/v1/chat/completions", json.dumps(BODY))
        connections[2].request("GET", "/v1/models")
        connections[2].getresponse().read()
        assert eventually(lambda: len(server.ledger) == 2)
    assert set(threading.enumerate()) <= before
    for connection in connections[:2]:
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
    for connection in connections:
        connection.close()
    port = int(netloc.partition(":")[2])
    with ReplayServer(ANSWERS, port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}/v1"


def test_hang_ups_are_silent(
    capfd: pytest.CaptureFixture[str], send: Callable[..., Any], eventually: Callable[..., bool]
) -> None:
    """Clients that come and go in every way leave nothing on stdout or stderr."""
    with ReplayServer({("b", "q"): Recorded(text="x" * 4_000_000)}) as server:
        address = ("127.0.0.1", urlsplit(server.url).port)
        payload = json.dumps({**BODY, "stream": True}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(payload)}\r\n\r\n".encode()
        for data in (b"", b"POST /v1", head, head + payload[:9], head + payload, b"\x00\xff\r\n\r\n"):
            with socket.create_connection(address) as connection:
                connection.sendall(data)
        assert eventually(lambda: len(server.ledger) == 1)
        assert send(server, "GET", "/v1/models").status == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("error", "shown"), [(ConnectionResetError, False), (ZeroDivisionError, True)])
def test_only_bugs_show(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: type[Exception], shown: Any
) -> None:
    """A connection that fails before its first request is silent; a mistake of the server's own is not."""

    def setup(_: Handler) -> None:
        raise error

    monkeypatch.setattr(Handler, "setup", setup)
    with ReplayServer(ANSWERS) as server:
        connection = socket.create_connection(("127.0.0.1", urlsplit(server.url).port))
        assert connection.recv(1) == b""
        connection.close()
    assert ("ZeroDivisionError" in capfd.readouterr().err) == shown


def test_address_exists_only_while_running() -> None:
    """Before, after, and when entered twice, the error says what is the matter."""
    server = ReplayServer(ANSWERS)
    with pytest.raises(RuntimeError, match="only inside its with block"):
        _ = server.url
    with server, pytest.raises(RuntimeError, match=r"already running at http://127\.0\.0\.1:\d+/v1"):
        server.__enter__()
    with pytest.raises(RuntimeError, match="only inside its with block"):
        _ = server.url


def test_server_can_be_entered_again_and_keeps_its_books(ask: Callable[..., Any]) -> None:
    """The ledger outlives the block, and grows in the next one."""
    server = ReplayServer(ANSWERS)
    for count in (1, 2):
        with server:
            ask(server, "b", "q")
        assert len(server.ledger) == count


def test_taken_port_is_an_error(server: ReplayServer) -> None:
    """Two servers do not share a port."""
    other = ReplayServer(ANSWERS, port=urlsplit(server.url).port)
    with pytest.raises(OSError, match="in use"):
        other.__enter__()
