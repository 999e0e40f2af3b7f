"""Runs: a router's plan carried out with fake models: blocking, awaited, streamed, resumed or cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pointsman.errors import PointsmanError
from pointsman.flow import (
    Effect,
    Outcome,
    Recorder,
    adrive,
    arecorded,
    drive,
    drive_stream,
    recorded,
    recorded_stream,
    replaying,
)
from pointsman.routers.base import Router
from pointsman.testing.fakes import FakeModels
from pointsman.testing.plain import told_step
from pointsman.types import Answer, Context, Path, Query, Step

__all__ = ["Ran", "arun", "cancelled", "resumed", "run", "streamed"]

T = TypeVar("T")
_NOW = Context()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a run ended: its answer or its error, the steps on record, and the text shown on the way."""

    answer: Answer | None
    error: PointsmanError | None
    steps: tuple[Step, ...]
    shown: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """The run as plain data, without times."""
        answer = None if self.answer is None else [self.answer.content, self.answer.model, self.answer.support]
        return {"answer": answer, "error": repr(self.error), "steps": [told_step(step) for step in self.steps]}


def run(router: Router, query: Query, models: Callable[[Effect], Outcome], context: Context = _NOW) -> Ran:
    """Carry out the plan with a blocking performer; errors of this library are part of the outcome."""
    recorder = Recorder()
    return _ran(lambda: drive(router.plan(query, context), recorded(models, recorder)), recorder)


def resumed(router: Router, query: Query, steps: Sequence[Step], models: FakeModels, context: Context = _NOW) -> Ran:
    """Carry out the plan with the outcomes of these steps, and go on with the models where they end."""
    recorder = Recorder()
    live, past, known = recorded(models, recorder), replaying(steps), {step.path[:2] for step in steps}

    def perform(effect: Effect, path: Path) -> Outcome:
        return past(effect, path) if path in known else live(effect, path)

    return _ran(lambda: drive(router.plan(query, context), perform), recorder, before=tuple(steps))


def streamed(router: Router, query: Query, models: FakeModels, context: Context = _NOW) -> Ran:
    """Carry out the plan and show its answer as it comes."""
    recorder = Recorder()
    pieces: list[str] = []

    def consume() -> Answer:
        stream = drive_stream(
            router.plan(query, context), recorded(models, recorder), recorded_stream(models.open_stream, recorder)
        )
        while True:
            try:
                pieces.append(next(stream).text)
            except StopIteration as end:
                answer: Answer = end.value
                return answer

    return _ran(consume, recorder, pieces=pieces)


def arun(router: Router, query: Query, models: FakeModels, context: Context = _NOW) -> Ran:
    """Carry out the plan with an awaitable performer."""
    recorder = Recorder()

    async def running() -> Answer:
        return await adrive(router.plan(query, context), arecorded(models.aperform, recorder))

    return _ran(lambda: _in_a_loop(running()), recorder)


def cancelled(router: Router, query: Query, models: FakeModels) -> tuple[str, tuple[Step, ...]]:
    """Cancel the awaited plan once it has begun its first effect; return how it ended and the steps on record."""
    recorder = Recorder()

    async def cancelling() -> str:
        task = asyncio.ensure_future(adrive(router.plan(query), arecorded(models.aperform, recorder)))
        while not (models.performed or task.done()):  # noqa: ASYNC110 - whatever the plan does first, it does it at once
            await asyncio.sleep(0)
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        return "cancelled" if isinstance(ended, asyncio.CancelledError) else f"ended with {ended!r}"

    return _in_a_loop(cancelling()), recorder.steps


def _ran(
    carry_out: Callable[[], Answer], recorder: Recorder, *, before: tuple[Step, ...] = (), pieces: Sequence[str] = ()
) -> Ran:
    answer, error = None, None
    try:
        answer = carry_out()
    except PointsmanError as failure:
        error = failure
    return Ran(answer=answer, error=error, steps=before + recorder.steps, shown="".join(pieces))


def _in_a_loop(running: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop of a thread of its own, as the caller may be inside one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, running).result(timeout=60)
