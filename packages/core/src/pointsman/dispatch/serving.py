"""The router in service: read without a lock, replaced as a whole, taught by feedback one batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Protocol, Self, runtime_checkable

from pointsman.components import State
from pointsman.dispatch.recent import Recent
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.types import Feedback, Trace

__all__ = ["Learner", "Served", "Serving"]


@runtime_checkable
class Learner(Protocol):
    """A router that learns from feedback while it serves."""

    def update(self, feedback: Sequence[tuple[Trace, Feedback]]) -> Self:
        """Learn from what became of earlier answers and return self."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One router as one query sees it."""

    router: Router
    state: State | None
    digest: str
    models: ModelPool
    learns: bool


class Serving:
    """Holds the current router; whoever reads it gets the old one or the new one, whole.

    The last `remember` traces are kept for a router that learns, as feedback names them by id.
    """

    def __init__(self, router: Router, *, remember: int) -> None:
        self._router = router
        self._served: Served | None = None
        self._recent = Recent(remember)
        self._lock = Lock()

    @property
    def router(self) -> Router:
        """The router that decides now."""
        return self._router

    def current(self) -> Served:
        """Return the router with its digest and models; computed anew only when its state is another."""
        router, served = self._router, self._served
        if served is None or served.router is not router or served.state is not router.state_:
            served = self._served = Served(
                router=router,
                state=router.state_,
                digest=router.digest(),
                models=router.models,
                learns=isinstance(router, Learner),
            )
        return served

    def replace(self, router: Router) -> Router:
        """Put another router in service and return the old one."""
        with self._lock:
            old, self._router = self._router, router
        return old

    def remember(self, trace: Trace) -> None:
        """Keep a trace for the feedback to come, if the router learns."""
        if self.current().learns:
            self._recent.keep(trace)

    def learn(self, feedback: Feedback, trace: Trace | None) -> None:
        """Teach a copy of the router, if it learns, and put it in service; runs under way keep the one they began with."""
        with self._lock:
            taught = copy(self._router)
            if not isinstance(taught, Learner):
                return
            found = self._recent.named(feedback.trace_id) if trace is None else trace
            self._router = taught.update([(found, feedback)])
