"""Recent: the last traces, for feedback that names one."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from pointsman.types import Trace

__all__ = ["Recent"]


class Recent:
    """An observer that keeps the last traces, at most `size`; safe across threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._lock = Lock()

    def __call__(self, trace: Trace) -> None:
        """Keep a trace, and let the oldest go where there is no room."""
        with self._lock:
            self._traces[trace.id] = trace
            while len(self._traces) > self._size:
                self._traces.popitem(last=False)

    def get(self, trace_id: str) -> Trace | None:
        """Return the trace of this id, or None where it is unknown or gone."""
        with self._lock:
            return self._traces.get(trace_id)
