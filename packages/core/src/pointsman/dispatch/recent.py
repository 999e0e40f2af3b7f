"""Recent: the last traces, for feedback that names one."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from pointsman.errors import PointsmanError
from pointsman.types import Trace

__all__ = ["Recent"]


class Recent:
    """Keeps the last traces, at most `size`; safe across threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._lock = Lock()

    def keep(self, trace: Trace) -> None:
        """Keep a trace, and let the oldest go where there is no room."""
        with self._lock:
            self._traces[trace.id] = trace
            while len(self._traces) > self._size:
                self._traces.popitem(last=False)

    def named(self, trace_id: str) -> Trace:
        """Return the trace of this id; PointsmanError where it is unknown or gone."""
        with self._lock:
            if trace_id not in self._traces:
                raise PointsmanError(
                    f"Trace {trace_id!r} is none of the last {self._size}; hand over the trace itself."
                )
            return self._traces[trace_id]
