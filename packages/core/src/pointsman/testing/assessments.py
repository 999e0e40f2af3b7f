"""Assessments: a confidence's plan carried out: blocking, awaited, resumed, or cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pointsman.confidence.base import Confidence
from pointsman.flow import Effect, Outcome, Recorder, adrive, arecorded, drive, recorded, replaying
from pointsman.testing.listeners import Listener
from pointsman.testing.plain import told_step
from pointsman.types import Path, Query, Response, Step

__all__ = ["aassess", "assess", "assess_again", "assess_cut_off"]

Told = tuple[float | None, list[dict[str, Any]]]


def assess(
    confidence: Confidence,
    query: Query,
    responses: Sequence[Response],
    perform: Callable[[Effect], Outcome] | None = None,
) -> Told:
    """Return the score and the steps that led to it, as plain data."""
    recorder = Recorder()
    score = drive(confidence.assess(query, responses), recorded(perform or Listener(query), recorder))
    return score, [told_step(step) for step in recorder.steps]


def aassess(confidence: Confidence, query: Query, responses: Sequence[Response]) -> Told:
    """Return what `assess` does, awaited."""
    recorder, listener = Recorder(), Listener(query)

    async def perform(effect: Effect) -> Outcome:
        await asyncio.sleep(0)
        return listener(effect)

    with ThreadPoolExecutor(max_workers=1) as thread:  # the caller may be inside a loop
        running = adrive(confidence.assess(query, responses), arecorded(perform, recorder))
        score = thread.submit(lambda: asyncio.run(running)).result(timeout=60)
    return score, [told_step(step) for step in recorder.steps]


def assess_again(confidence: Confidence, query: Query, responses: Sequence[Response], done: int) -> Told:
    """Return what `assess` does when the outcomes of the first `done` steps are replayed."""
    first, second = Recorder(), Recorder()
    drive(confidence.assess(query, responses), recorded(Listener(query), first))
    kept = first.steps[:done]
    live, past, known = recorded(Listener(query), second), replaying(kept), {step.path[:2] for step in kept}

    def perform(effect: Effect, path: Path) -> Outcome:
        return past(effect, path) if path in known else live(effect, path)

    score = drive(confidence.assess(query, responses), perform)
    return score, [told_step(step) for step in (*kept, *second.steps)]


def assess_cut_off(confidence: Confidence, query: Query, responses: Sequence[Response]) -> tuple[str, tuple[Step, ...]]:
    """Cancel the plan while it waits for its first batch; return how it ended, and the steps on record.

    A plan that wants nothing has "ended" before.
    """
    recorder = Recorder()

    async def hang(effect: Effect) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError(effect)

    async def cancelling() -> str:
        task = asyncio.ensure_future(adrive(confidence.assess(query, responses), arecorded(hang, recorder)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(end, asyncio.CancelledError):
            return "cancelled"
        return f"ended with {end!r}" if isinstance(end, BaseException) else "ended"

    with ThreadPoolExecutor(max_workers=1) as thread:
        ended = thread.submit(lambda: asyncio.run(cancelling())).result(timeout=60)
    return ended, recorder.steps
