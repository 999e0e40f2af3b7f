"""What happened to a query, step by step, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import fsum
from typing import Any, Literal, Self

from pointsman.types.calls import Call, CallError, Embed, Path, Response
from pointsman.types.decision import Decision
from pointsman.types.request import Context, Query

__all__ = ["Answer", "Feedback", "Step", "Trace", "total_usd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a plan ends in: content, and the steps that support it (one response, or the voters)."""

    content: Any
    support: tuple[Path, ...] = ()
    model: str | None = None
    confidence: float | None = None
    reason: str = ""

    @classmethod
    def of(cls, response: Response, *, reason: str = "", confidence: float | None = None) -> Self:
        """Make one response the answer."""
        content = response.text if response.content is None else response.content
        return cls(
            content=content, support=(response.step,), model=response.model, confidence=confidence, reason=reason
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One effect that was performed, how it ended, and its money (None: unknown)."""

    path: Path
    effect: Call | Embed
    outcome: Response | CallError | tuple[tuple[float, ...], ...]
    cost_usd: float | None = None
    started_at: float = field(default=0.0, compare=False)
    latency_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything that happened to one query."""

    id: str
    query: Query
    context: Context
    router: str
    steps: tuple[Step, ...]
    answer: Answer | None
    ended: Literal["answered", "failed", "cancelled"]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions behind the calls, in order, each once."""
        made = (step.effect.decision for step in self.steps if isinstance(step.effect, Call))
        return tuple(dict.fromkeys(decision for decision in made if decision is not None))

    @property
    def cost_usd(self) -> float | None:
        """What all steps cost; None when that of any step is unknown."""
        return total_usd([step.cost_usd for step in self.steps])

    @property
    def response(self) -> Response | None:
        """The response behind the answer, where it is a single one."""
        if self.answer is None or len(self.answer.support) != 1:
            return None
        outcomes = {step.path: step.outcome for step in self.steps}
        found = outcomes.get(self.answer.support[0])
        return found if isinstance(found, Response) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What became of an answer: a reward in [0, 1] for the model of a trace."""

    trace_id: str
    model: str
    reward: float
    kind: str = "user"
    at: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.reward <= 1:
            raise ValueError(f"Feedback.reward must be in [0, 1], got {self.reward}.")


def total_usd(costs: Iterable[float | None]) -> float | None:
    """Add up costs exactly; one unknown cost makes the total unknown.

    >>> total_usd([0.1, 0.2]), total_usd([0.1, None])
    (0.30000000000000004, None)
    """
    told = list(costs)
    known = [cost for cost in told if cost is not None]
    return fsum(known) if len(known) == len(told) else None
