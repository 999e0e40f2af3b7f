"""A journey: one query's way through a plan, from its context to its trace, whichever way it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from pointsman.dispatch.retry import refused
from pointsman.errors import AllModelsFailedError, PointsmanError
from pointsman.flow import Recorder
from pointsman.types import Answer, CallError, Context, Feedback, Query, Trace

__all__ = ["Journey", "Observer", "report"]

Observer = Callable[[Trace], None]
logger = logging.getLogger("pointsman")


@dataclass(slots=True, kw_only=True)
class Journey:
    """What one query's run knows; nothing of it is kept on the dispatcher."""

    query: Query
    context: Context
    router: str
    recorder: Recorder
    observers: Sequence[Observer] = ()
    id: str = field(default_factory=lambda: uuid4().hex)
    trace: Trace | None = None

    @contextmanager
    def accounted(self) -> Iterator[None]:
        """Turn whatever ends the block early into a trace, and pass it on; errors of this library carry that trace."""
        try:
            yield
        except (GeneratorExit, KeyboardInterrupt, asyncio.CancelledError):
            self._end("cancelled")
            raise
        except PointsmanError as error:
            error = _refusal(error)
            error.trace = self._end("failed")
            raise error from error.__cause__
        except BaseException:
            self._end("failed")
            raise

    def arrive(self, answer: Answer) -> Trace:
        """End the journey with its answer."""
        return self._end("answered", answer)

    def _end(self, ended: Literal["answered", "failed", "cancelled"], answer: Answer | None = None) -> Trace:
        trace = self.trace = Trace(
            id=self.id,
            query=self.query,
            context=self.context,
            router=self.router,
            steps=self.recorder.steps,
            answer=answer,
            ended=ended,
        )
        for observer in self.observers:
            report(observer, "__call__", trace)
        return trace


def report(observer: Observer, method: str, news: Trace | Feedback) -> None:
    """Tell an observer, if it listens to that; its errors are logged and break nothing."""
    listen = getattr(observer, method, None)
    try:
        if listen is not None:
            listen(news)
    except Exception:
        logger.exception("The observer %r failed on %s.", observer, news)


def _refusal(error: PointsmanError) -> PointsmanError:
    """Return the budget's own error where nothing else stood in the way."""
    tried = error.errors if isinstance(error, AllModelsFailedError) else (error,)
    causes = [e.__cause__ for e in tried if isinstance(e, CallError) and refused(e)]
    if causes and len(causes) == len(tried) and isinstance(causes[0], PointsmanError):
        return causes[0]
    return error
