"""A journey: one query's way through its plan to its trace, whichever way it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeAlias

from pointsman.dispatch.attempts import Attempts
from pointsman.dispatch.reserving import refused
from pointsman.dispatch.serving import Served
from pointsman.errors import AllModelsFailedError, PointsmanError
from pointsman.flow import Plan
from pointsman.telemetry.logging import logger
from pointsman.types import Answer, CallError, Context, Feedback, Query, Trace

__all__ = ["Journey", "Observer", "report"]

Observer: TypeAlias = Callable[[Trace], None]
"""Called with the trace of every run; what it returns is ignored, what it raises is logged."""


@dataclass(slots=True, kw_only=True)
class Journey:
    """What one run knows: nothing of it is kept on the dispatcher, so runs cannot mix up."""

    id: str
    query: Query
    context: Context
    served: Served
    attempts: Attempts
    observers: Sequence[Observer] = ()
    trace: Trace | None = None

    def plan(self) -> Plan[Answer]:
        """Begin the plan of this run."""
        return self.served.router.plan(self.query, self.context)

    def end(self, ended: Literal["answered", "failed", "cancelled"], answer: Answer | None = None) -> Trace:
        """End the run and tell its observers; a run ends once."""
        if self.trace is None:
            self.trace = Trace(
                id=self.id,
                query=self.query,
                context=self.context,
                router=self.served.digest,
                steps=self.attempts.steps,
                answer=answer,
                ended=ended,
            )
            for observer in self.observers:
                report(observer, self.trace)
        return self.trace

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End a run that ends early in its block, and pass on what ended it.

        Errors of this library carry the trace. Where all that went wrong is the budget's refusal, its own error is raised.
        """
        if error is None:
            return
        if isinstance(error, GeneratorExit | KeyboardInterrupt | asyncio.CancelledError):
            self.end("cancelled")
        elif isinstance(error, PointsmanError):
            raised = _telling(error)
            raised.trace = self.end("failed")
            raise raised from raised.__cause__
        else:
            self.end("failed")


def report(listener: Callable[[Trace], object] | Callable[[Feedback], object], news: Trace | Feedback) -> None:
    """Tell a listener; its errors are logged and break nothing."""
    try:
        listener(news)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - whoever watches a run must not break it
        logger.exception("The observer %r failed.", listener)


def _telling(error: PointsmanError) -> PointsmanError:
    """Return the error to raise: the budget's own where nothing else stood in the way, and never one that runs may share."""
    tried = error.errors if isinstance(error, AllModelsFailedError) else (error,)
    refusals = [e.__cause__ for e in tried if isinstance(e, CallError) and refused(e)]
    if refusals and len(refusals) == len(tried) and isinstance(refusals[0], PointsmanError):
        return refusals[0]
    return error.changed() if isinstance(error, CallError) else error
