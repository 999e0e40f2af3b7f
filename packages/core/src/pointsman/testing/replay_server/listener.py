"""The listening socket and the connections it has accepted, all of which end when it stops."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from pointsman.testing.replay_server.handler import Handler
from pointsman.testing.replay_server.service import Service

__all__ = ["Listener"]

_POLL_S = 0.02  # how soon a stop is noticed


class Listener(ThreadingHTTPServer):
    """One thread that accepts, one for every connection; `stop` ends and joins them all.

    Parameters:
        service: What the connections share.
        port: The loopback port to bind; 0 takes a free one.
    """

    daemon_threads = False  # socketserver joins only threads that are not daemons
    request_queue_size = 1024

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)
        self._accepting = threading.Thread(target=self.serve_forever, args=(_POLL_S,), name="replay-server")
        self._accepting.start()

    def server_bind(self) -> None:
        """Bind without asking the network for the host's name, as HTTPServer does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a new connection in a thread of its own."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up; anything else is a bug and shows."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Accept no more, hang up on everyone, and return when every thread has ended."""
        self.stopping.set()
        self.shutdown()
        self._accepting.join()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client was first
                    continue
        self.server_close()
