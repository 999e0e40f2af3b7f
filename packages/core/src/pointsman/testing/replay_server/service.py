"""What all exchanges of one server share: its recordings, faults and books."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pointsman.testing.replay_server.asking import ChatRequest
from pointsman.testing.replay_server.faults import FaultQueue
from pointsman.testing.replay_server.ledger import Ledger
from pointsman.testing.replay_server.recorded import Recorded
from pointsman.testing.replay_server.recordings import Recordings
from pointsman.testing.replay_server.refusal import Refusal

__all__ = ["Default", "Service"]

Default: TypeAlias = Callable[[str, dict[str, Any]], Recorded]

_SHOWN = 120  # characters of an unrecorded question that the error repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The state behind the server's door; every part is safe between threads.

    Parameters:
        recordings: The answers to give.
        default: Answers what is not recorded, from the model's name and the request; None: nothing does.
        faults: What is to go wrong.
        ledger: The books.
        dimensions: The length of an embedding of which no length is asked for.
    """

    recordings: Recordings
    default: Default | None
    faults: FaultQueue
    ledger: Ledger
    dimensions: int
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def next_id(self) -> str:
        """Return an id that no other request of this server has."""
        return f"req_{next(self._numbers):08d}"

    def recorded(self, request: ChatRequest) -> Recorded:
        """Return the answer for `request`; raise `Refusal` 404 if none is recorded, 500 if `default` fails."""
        found = self.recordings.find(request.model, request.question)
        if found is not None:
            return found
        if self.default is None:
            message = f"nothing is recorded for model {request.model!r} and text {_shortened(request.question)!r}"
            raise Refusal(message, status=404, param="messages", code="not_recorded")
        return self._made(self.default, request.model, request.body)

    def _made(self, default: Default, model: str, body: Mapping[str, Any]) -> Recorded:
        try:
            return default(model, dict(body))
        except Exception as error:
            raise Refusal(f"default failed: {error!r}", status=500, kind="server_error") from error


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
