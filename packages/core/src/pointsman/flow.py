"""The grammar: plans yield the effects they want, drivers perform them, a recorder keeps every step with its money.

A plan is a generator that yields a tuple of effects (performed concurrently) and receives their outcomes in the same order. It
is deterministic given its outcomes, so replaying recorded outcomes resumes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from threading import Lock
from typing import Generic, Self, TypeAlias, TypeVar

from pointsman.errors import PointsmanError
from pointsman.types import Call, CallError, Embed, Path, Response, Step

__all__ = [
    "AsyncPerform",
    "Effect",
    "Outcome",
    "Perform",
    "Plan",
    "Recorder",
    "Run",
    "adrive",
    "arecorded",
    "ask",
    "drive",
    "recorded",
    "replaying",
]

T = TypeVar("T")
Vectors: TypeAlias = tuple[tuple[float, ...], ...]
Effect: TypeAlias = Call | Embed
Outcome: TypeAlias = Response | CallError | Vectors
Plan: TypeAlias = Generator[tuple[Effect, ...], tuple[Outcome, ...], T]
Perform: TypeAlias = Callable[[Effect, Path], Outcome]
AsyncPerform: TypeAlias = Callable[[Effect, Path], Awaitable[Outcome]]


def ask(call: Call) -> Plan[Response]:
    """Yield one call; return its response or raise its error."""
    (outcome,) = yield (call,)
    if isinstance(outcome, CallError):
        raise outcome
    if not isinstance(outcome, Response):
        raise TypeError(f"A call's outcome is a Response or a CallError, not {type(outcome).__name__}.")
    return outcome


class Run(Generic[T]):
    """A plan in progress: `wants` is the batch it waits for, `done` tells when `result` stands."""

    def __init__(self, plan: Plan[T]) -> None:
        self._plan = plan
        self.wants: tuple[Effect, ...] = ()
        self.round = -1
        self.done = False
        self._advance(lambda: next(plan))

    def _advance(self, step: Callable[[], tuple[Effect, ...]]) -> None:
        self.round += 1
        try:
            self.wants = step()
        except StopIteration as end:
            self.wants, self.done, self._result = (), True, end.value

    def send(self, outcomes: tuple[Outcome, ...]) -> None:
        """Hand over the outcomes of `wants`, in order, and advance the plan."""
        self._advance(lambda: self._plan.send(outcomes))

    @property
    def result(self) -> T:
        """What the plan returned."""
        if not self.done:
            raise PointsmanError("The plan has not ended; its result does not exist yet.")
        result: T = self._result
        return result

    @property
    def final_call(self) -> Call | None:
        """The single call that may be shown as it streams, if that is what the plan wants now."""
        if len(self.wants) == 1 and isinstance(self.wants[0], Call) and self.wants[0].stream:
            return self.wants[0]
        return None

    def requests(self) -> list[tuple[Effect, Path]]:
        """The wanted effects, each with its place in the plan."""
        return [(effect, (self.round, i)) for i, effect in enumerate(self.wants)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._plan.close()


def drive(plan: Plan[T], perform: Perform) -> T:
    """Perform a plan with a blocking performer; a batch runs in threads that see the caller's context variables."""
    with Run(plan) as run:
        while not run.done:
            run.send(perform_batch(run.requests(), perform))
        return run.result


async def adrive(plan: Plan[T], perform: AsyncPerform) -> T:
    """Perform a plan with an awaitable performer; a batch runs concurrently."""
    with Run(plan) as run:
        while not run.done:
            run.send(await aperform_batch(run.requests(), perform))
        return run.result


def perform_batch(requests: list[tuple[Effect, Path]], perform: Perform) -> tuple[Outcome, ...]:
    """Perform effects at once; all finish before an unexpected error of one of them is raised."""
    if len(requests) == 1:
        return (_outcome(lambda: perform(*requests[0])),)
    with ThreadPoolExecutor(max_workers=len(requests) or 1) as threads:
        started = [threads.submit(copy_context().run, _outcome, lambda r=r: perform(*r)) for r in requests]  # type: ignore[misc]
    return tuple(future.result() for future in started)


def _outcome(perform: Callable[[], Outcome]) -> Outcome:
    try:
        return perform()
    except CallError as error:
        return error


async def aperform_batch(requests: list[tuple[Effect, Path]], perform: AsyncPerform) -> tuple[Outcome, ...]:
    """Perform effects at once; all finish before an unexpected error of one of them is raised."""
    if len(requests) == 1:
        return (await _aoutcome(perform(*requests[0])),)
    settled = await asyncio.gather(*(_aoutcome(perform(*r)) for r in requests), return_exceptions=True)
    for outcome in settled:
        if isinstance(outcome, BaseException) and not isinstance(outcome, CallError):
            raise outcome
    return tuple(settled)  # type: ignore[arg-type]


async def _aoutcome(performing: Awaitable[Outcome]) -> Outcome:
    try:
        return await performing
    except CallError as error:
        return error


class Recorder:
    """Keeps every performed effect as a step the moment it ends, also when it is cut off; safe across threads."""

    def __init__(self, on_step: Callable[[Step], None] | None = None) -> None:
        self._steps: dict[Path, Step] = {}
        self._lock = Lock()
        self._on_step = on_step

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far, in the order of the plan, whichever ended first."""
        with self._lock:
            return tuple(self._steps[path] for path in sorted(self._steps))

    @contextmanager
    def recording(self, effect: Effect, path: Path) -> Iterator[Callable[[Outcome], Outcome]]:
        """Time one effect and record the outcome handed over; leaving without one records an interrupted call.

        A CallError raised inside is recorded too. The attempt number that makes `path` unique is added here; the outcome
        returned carries its step.
        """
        with self._lock:
            attempt = sum(1 for known in self._steps if known[: len(path)] == path)
            place = (*path, attempt)
            started = Step(path=place, effect=effect, outcome=_interrupted(effect), started_at=time.time())
            self._steps[place] = started
        clock, kept = time.perf_counter(), False

        def keep(outcome: Outcome) -> Outcome:
            nonlocal kept
            kept = True
            latency = time.perf_counter() - clock
            if isinstance(outcome, Response):
                outcome = replace(
                    outcome, step=place, latency_s=latency if outcome.latency_s is None else outcome.latency_s
                )
            self._end(replace(started, outcome=outcome, cost_usd=_cost(outcome), latency_s=latency))
            return outcome

        try:
            yield keep
        except CallError as error:
            keep(error)
            raise
        finally:
            if not kept:
                self._end(replace(started, latency_s=time.perf_counter() - clock))

    def _end(self, step: Step) -> None:
        with self._lock:
            self._steps[step.path] = step
        if self._on_step is not None:
            self._on_step(step)


def _cost(outcome: Outcome) -> float | None:
    """Return the money of an outcome; a call that failed before it was billed costs what its error says, else nothing."""
    if isinstance(outcome, Response):
        return outcome.cost_usd
    if isinstance(outcome, CallError):
        return outcome.cost_usd if outcome.usage or outcome.emitted or outcome.interrupted else outcome.cost_usd or 0.0
    return 0.0


def _interrupted(effect: Effect) -> CallError:
    name = effect.model if isinstance(effect, Call) else effect.embedder
    return CallError(name, "interrupted before its outcome was known; it may have been billed", interrupted=True)


def recorded(perform: Callable[[Effect], Outcome], recorder: Recorder) -> Perform:
    """Make a performer record what it does."""

    def performing(effect: Effect, path: Path) -> Outcome:
        with recorder.recording(effect, path) as keep:
            return keep(perform(effect))

    return performing


def arecorded(perform: Callable[[Effect], Awaitable[Outcome]], recorder: Recorder) -> AsyncPerform:
    """Make an awaitable performer record what it does."""

    async def performing(effect: Effect, path: Path) -> Outcome:
        with recorder.recording(effect, path) as keep:
            return keep(await perform(effect))

    return performing


def replaying(steps: Iterable[Step]) -> Perform:
    """Return a performer that answers from recorded steps: the last attempt at each place of the plan.

    Asking for an effect that was not recorded, or another one than was recorded there, raises PointsmanError.
    """
    known = {step.path[:2]: step for step in sorted(steps, key=lambda step: step.path)}

    def performing(effect: Effect, path: Path) -> Outcome:
        step = known.get(path)
        if step is None or step.effect != effect:
            raise PointsmanError(f"The recording has {step.effect if step else 'nothing'} at {path}, not {effect}.")
        return step.outcome

    return performing
