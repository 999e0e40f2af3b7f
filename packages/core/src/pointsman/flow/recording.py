"""Recording: every performed effect becomes a step with its money the moment it ends, and a recording can be replayed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar

from pointsman.errors import PointsmanError
from pointsman.flow.grammar import AsyncPerform, Effect, Outcome, Perform, addressee
from pointsman.types import CallError, Path, Response, Step

__all__ = ["Recorder", "Recording", "arecorded", "cost_of", "recorded", "replaying"]

Kept = TypeVar("Kept", bound=Outcome)


class Recording:
    """One effect while it is performed: call it with the outcome to keep that; `step` is what is on record by now.

    Used in a `with` block: a CallError raised inside is kept too, and leaving without an outcome records an interrupted call.
    """

    __slots__ = ("_clock", "_kept", "_recorder", "_started_at", "effect", "path")

    def __init__(self, recorder: Recorder, effect: Effect, path: Path) -> None:
        self.effect = effect
        self.path = path
        self._recorder = recorder
        self._kept: Step | None = None
        self._started_at = time.time()
        self._clock = time.perf_counter()
        recorder.begin(self)

    @property
    def step(self) -> Step:
        """The step as it stands: interrupted, unless its outcome has arrived."""
        if self._kept is not None:
            return self._kept
        return Step(path=self.path, effect=self.effect, outcome=_interrupted(self.effect), started_at=self._started_at)

    def __call__(self, outcome: Kept, /) -> Kept:
        """Keep an outcome and return it as it is on record: with its price, and a response with its step and its latency."""
        latency = time.perf_counter() - self._clock
        placed: Any = outcome
        if isinstance(outcome, Response):
            placed = _placed(outcome, self.path, latency, self._recorder.price(outcome))
        elif isinstance(outcome, CallError) and (cost := self._recorder.price(outcome)) != outcome.cost_usd:
            placed = outcome.changed(cost_usd=cost)
        self._kept = Step(
            path=self.path,
            effect=self.effect,
            outcome=placed,
            cost_usd=cost_of(placed),
            started_at=self._started_at,
            latency_s=latency,
        )
        kept: Kept = placed
        return kept

    def end(self) -> None:
        """Put the step on record as it stands, for good."""
        if self._kept is None:
            self(_interrupted(self.effect))
        self._recorder.end(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        kept = error
        try:
            if isinstance(error, CallError):
                kept = self(error)
        finally:
            self.end()
        if kept is not None and kept is not error:
            raise kept from kept.__cause__


def _placed(response: Response, path: Path, latency_s: float, cost_usd: float | None) -> Response:
    """Return a response as it goes on record, in a third of the time that dataclasses.replace takes."""
    return Response(
        model=response.model,
        text=response.text,
        step=path,
        content=response.content,
        usage=response.usage,
        cost_usd=cost_usd,
        latency_s=latency_s if response.latency_s is None else response.latency_s,
        logprobs=response.logprobs,
        top_logprobs=response.top_logprobs,
        answer=response.answer,
        served_model=response.served_model,
        raw=response.raw,
    )


class Recorder:
    """Keeps every performed effect as a step the moment it ends, also when it is cut off; safe across threads."""

    __slots__ = ("_lock", "_on_step", "_steps")

    def __init__(self, on_step: Callable[[Step], None] | None = None) -> None:
        self._steps: dict[Path, Step | Recording] = {}
        self._lock = Lock()
        self._on_step = on_step

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far, in the order of the plan, whichever ended first."""
        with self._lock:
            return tuple([one if isinstance(one, Step) else one.step for _, one in sorted(self._steps.items())])

    def recording(self, effect: Effect, path: Path) -> Recording:
        """Time one effect and record the outcome handed over; leaving without one records an interrupted call.

        A CallError raised inside is recorded too. The attempt number that makes `path` unique is added here.
        """
        return Recording(self, effect, path)

    def price(self, outcome: Response | CallError) -> float | None:
        """Return what an outcome is booked at: what it tells."""
        return outcome.cost_usd

    def begin(self, recording: Recording) -> None:
        """Put an effect on record, as interrupted until its outcome arrives; its path gets the number of the attempt."""
        path = recording.path
        with self._lock:
            known = self._steps
            recording.path = (*path, sum(1 for other in known if other[: len(path)] == path) if known else 0)
            known[recording.path] = recording

    def end(self, recording: Recording) -> None:
        """Keep a step in place of its recording, which so holds on to nothing, and tell of it."""
        step = recording.step
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
