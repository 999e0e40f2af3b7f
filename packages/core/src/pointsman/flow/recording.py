"""Recording: every performed effect becomes a step with its money the moment it ends, and a recording can be replayed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from threading import Lock
from types import TracebackType
from typing import Protocol, Self, TypeVar, cast

from pointsman.errors import PointsmanError
from pointsman.flow.grammar import AsyncPerform, Effect, Outcome, Perform, addressee
from pointsman.types import CallError, Path, Response, Step

__all__ = ["Keep", "Recorder", "Recording", "Records", "arecorded", "cost_of", "recorded", "replaying"]

Kept = TypeVar("Kept", bound=Outcome)


class Keep(Protocol):
    """Keeps the outcome of one effect and returns it as it is on record."""

    def __call__(self, outcome: Kept, /) -> Kept:
        """Keep an outcome."""
        ...


class Records(Protocol):
    """Whatever records effects as a Recorder does."""

    def recording(self, effect: Effect, path: Path) -> AbstractContextManager[Keep]:
        """Enclose one effect; leaving without an outcome records an interrupted call."""
        ...


class Recording:
    """One effect while it is performed: call it with the outcome to keep that; `step` is what is on record by now.

    Used in a `with` block: a CallError raised inside is kept too, and leaving without an outcome records an interrupted call.
    """

    __slots__ = ("_clock", "_end", "_unknown", "step")

    def __init__(self, step: Step, end: Callable[[Step], None]) -> None:
        self.step = self._unknown = step
        self._end = end
        self._clock = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, CallError):
            self(error)
        if self.step is self._unknown:
            self(self._unknown.outcome)
        self._end(self.step)

    def __call__(self, outcome: Kept, /) -> Kept:
        """Keep an outcome and return it; a response carries its step and its latency from here on."""
        latency = time.perf_counter() - self._clock
        if isinstance(outcome, Response):
            known = latency if outcome.latency_s is None else outcome.latency_s
            outcome = cast("Kept", _placed(outcome, self.step.path, known))
        begun = self.step
        self.step = Step(  # in place of dataclasses.replace, which takes as long as the rest of this module
            path=begun.path,
            effect=begun.effect,
            outcome=outcome,
            cost_usd=cost_of(outcome),
            started_at=begun.started_at,
            latency_s=latency,
        )
        return outcome


def _placed(response: Response, path: Path, latency_s: float) -> Response:
    """Return a response with its step and its latency, in a third of the time that dataclasses.replace takes."""
    return Response(
        model=response.model,
        text=response.text,
        step=path,
        content=response.content,
        usage=response.usage,
        cost_usd=response.cost_usd,
        latency_s=latency_s,
        logprobs=response.logprobs,
        top_logprobs=response.top_logprobs,
        answer=response.answer,
        served_model=response.served_model,
        raw=response.raw,
    )


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

    def recording(self, effect: Effect, path: Path) -> Recording:
        """Time one effect and record the outcome handed over; leaving without one records an interrupted call.

        A CallError raised inside is recorded too. The attempt number that makes `path` unique is added here.
        """
        return Recording(self._begin(effect, path), self._end)

    def _begin(self, effect: Effect, path: Path) -> Step:
        """Put a step on record as interrupted, which it stays unless its outcome arrives."""
        with self._lock:
            place = (*path, sum(1 for known in self._steps if known[: len(path)] == path) if self._steps else 0)
            cut = _interrupted(effect)
            step = Step(path=place, effect=effect, outcome=cut, cost_usd=cost_of(cut), started_at=time.time())
            self._steps[place] = step
        return step

    def _end(self, step: Step) -> None:
        with self._lock:
            self._steps[step.path] = step
        if self._on_step is not None:
            self._on_step(step)


def cost_of(outcome: Outcome) -> float | None:
    """Return what an outcome cost; a call that failed before it could be billed costs what its error says, else nothing."""
    if isinstance(outcome, Response):
        return outcome.cost_usd
    if isinstance(outcome, CallError):
        return outcome.cost_usd if outcome.usage or outcome.emitted or outcome.interrupted else outcome.cost_usd or 0.0
    return 0.0


def _interrupted(effect: Effect) -> CallError:
    told = "interrupted before its outcome was known; it may have been billed"
    return CallError(addressee(effect), told, interrupted=True)


def recorded(perform: Callable[[Effect], Outcome], records: Records) -> Perform:
    """Make a performer record what it does."""

    def performing(effect: Effect, path: Path) -> Outcome:
        with records.recording(effect, path) as keep:
            return keep(perform(effect))

    return performing


def arecorded(perform: Callable[[Effect], Awaitable[Outcome]], records: Records) -> AsyncPerform:
    """Make an awaitable performer record what it does."""

    async def performing(effect: Effect, path: Path) -> Outcome:
        with records.recording(effect, path) as keep:
            return keep(await perform(effect))

    return performing


def replaying(steps: Iterable[Step], *, beyond: Perform | None = None) -> Perform:
    """Return a performer that answers from recorded steps: the last attempt at each place of the plan.

    Asking for another effect than was recorded at a place raises PointsmanError. What was not recorded goes to `beyond`,
    which resumes a run that was cut off, its interrupted step included; without it, that raises PointsmanError too.
    """
    known = {step.path[:2]: step for step in sorted(steps, key=lambda step: step.path)}

    def performing(effect: Effect, path: Path) -> Outcome:
        step = known.get(path)
        if beyond is not None and (step is None or _cut_off(step)):
            return beyond(effect, path)
        if step is None or step.effect != effect:
            raise PointsmanError(f"The recording has {step.effect if step else 'nothing'} at {path}, not {effect}.")
        return step.outcome

    return performing


def _cut_off(step: Step) -> bool:
    """Tell whether a step's outcome never reached its plan; one that missed its deadline is retryable, and did."""
    return isinstance(step.outcome, CallError) and step.outcome.interrupted and not step.outcome.retryable
