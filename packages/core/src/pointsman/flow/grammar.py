"""Effects, outcomes and plans: the vocabulary of the grammar, and a plan in progress."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Generic, Self, TypeAlias, TypeVar

from pointsman.errors import PointsmanError
from pointsman.types import Call, CallError, Delta, Embed, Path, Response

__all__ = [
    "MAX_STEPS",
    "AsyncOpenStream",
    "AsyncPerform",
    "Effect",
    "OpenStream",
    "Outcome",
    "Perform",
    "Plan",
    "Run",
    "Vectors",
    "addressee",
    "ask",
    "embed",
]

T = TypeVar("T")
Vectors: TypeAlias = tuple[tuple[float, ...], ...]
Effect: TypeAlias = Call | Embed
Outcome: TypeAlias = Response | CallError | Vectors
Plan: TypeAlias = Generator[tuple[Effect, ...], tuple[Outcome, ...], T]
Perform: TypeAlias = Callable[[Effect, Path], Outcome]
AsyncPerform: TypeAlias = Callable[[Effect, Path], Awaitable[Outcome]]
OpenStream: TypeAlias = Callable[[Call, Path], Iterator[Delta | Response]]
AsyncOpenStream: TypeAlias = Callable[[Call, Path], AsyncIterator[Delta | Response]]

MAX_STEPS = 1_000
"""Effects a plan may want before it is taken for one that never ends."""


def addressee(effect: Effect) -> str:
    """Return the name of the model or embedder that an effect is for."""
    return effect.model if isinstance(effect, Call) else effect.embedder


def ask(call: Call) -> Plan[Response]:
    """Yield one call; return its response or raise its error."""
    (outcome,) = yield (call,)
    if isinstance(outcome, CallError):
        raise outcome
    if not isinstance(outcome, Response):
        raise TypeError(f"A call's outcome is a Response or a CallError, not {type(outcome).__name__}.")
    return outcome


def embed(wanted: Embed) -> Plan[Vectors]:
    """Yield one embedding; return its vectors, one per text, or raise its error."""
    (outcome,) = yield (wanted,)
    if isinstance(outcome, CallError):
        raise outcome
    if isinstance(outcome, Response) or len(outcome) != len(wanted.texts):
        raise TypeError(f"The outcome of embedding {len(wanted.texts)} texts is as many vectors, not {outcome!r}.")
    return outcome


class Run(Generic[T]):
    """A plan in progress: `wants` is the batch it waits for, `done` tells when `result` stands.

    The rules that hold for every driver are kept here. Nothing but its end may follow a call with `stream=True`: a plan that
    wants more after its success is a bug (PointsmanError), and a failure that was partly shown ends the plan. Nor may a plan
    go on for ever: it has `max_steps` effects.
    """

    __slots__ = ("_max_steps", "_plan", "_result", "_steps", "done", "responses", "round", "wants")

    def __init__(self, plan: Plan[T], *, max_steps: int = MAX_STEPS) -> None:
        self._plan = plan
        self._max_steps = max_steps
        self._steps = 0
        self.wants: tuple[Effect, ...] = ()
        self.round = -1
        self.done = False
        self.responses: list[Response] = []
        self._advance(None)

    def _advance(self, outcomes: tuple[Outcome, ...] | None) -> None:
        """Run the plan until it wants something or ends; None begins it."""
        self.round += 1
        try:
            self.wants = next(self._plan) if outcomes is None else self._plan.send(outcomes)
        except StopIteration as end:
            self.wants, self.done, self._result = (), True, end.value
        self._steps += len(self.wants)
        if self._steps > self._max_steps:
            self._plan.close()
            raise PointsmanError(f"The plan wants more than {self._max_steps} effects; it may never end.")

    def send(self, outcomes: tuple[Outcome, ...]) -> None:
        """Hand over the outcomes of `wants`, in order, and advance the plan."""
        if len(outcomes) != len(self.wants):
            raise PointsmanError(f"The plan waits for {len(self.wants)} outcomes, not {len(outcomes)}.")
        for outcome in outcomes:
            if isinstance(outcome, Response):
                self.responses.append(outcome)
        final = self.final_call
        self._advance(outcomes)
        if final is not None:
            self._end_after(final, outcomes[0])

    def _end_after(self, call: Call, outcome: Outcome) -> None:
        """Hold the plan to its end once a call has been shown."""
        if isinstance(outcome, CallError):
            if outcome.emitted:
                self._plan.close()
                raise outcome
        elif not self.done:
            self._plan.close()
            raise PointsmanError(f"The plan goes on with {self.wants} after the streamed call of {call.model!r}.")

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
