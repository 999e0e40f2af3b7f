"""RubricJudge: a model grades the answer under a rubric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from annotated_types import Ge

from pointsman.confidence.base import Confidence
from pointsman.confidence.grading import Scale, grading_task
from pointsman.errors import ConfigError
from pointsman.flow import Plan
from pointsman.types import Call, Context, Message, Query, Response

__all__ = ["RubricJudge"]


class RubricJudge(Confidence):
    """The grade that a model gives the answer, from `low` to `high`, rescaled to [0, 1].

    Question and answer are marked off as material, so that an answer that speaks to its judge is graded, not obeyed. A reply
    without a readable grade is asked for again; None after `attempts` of them, or when a call fails.

    Parameters:
        model: The judge.
        rubric: What makes an answer good.
        low, high: The ends of the judge's scale.
        attempts: Replies to ask for at most.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"text", "judge"})

    model: str
    rubric: str = "Is the answer correct, complete and to the point?"
    low: float = 1.0
    high: float = 10.0
    attempts: Annotated[int, Ge(1)] = 2

    def __post_init__(self) -> None:
        """Validate the scale and the rubric too."""
        super().__post_init__()
        if not self.low < self.high:
            raise ConfigError(f"RubricJudge.low must be less than RubricJudge.high, got {self.low} and {self.high}.")
        if not self.rubric.strip():
            raise ConfigError(f"RubricJudge.rubric must say what makes an answer good, got {self.rubric!r}.")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one whose judge is the toy data's large model."""
        return (cls(model="large"),)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Ask the judge."""
        scale = Scale(self.low, self.high)
        asked = "\n\n".join(f"{turn.role}: {turn.text}" for turn in query.messages) or query.text
        task = grading_task(asked, responses[-1].text, self.rubric, scale)
        messages: tuple[Message, ...] = (Message(role="user", content=task),)
        for _ in range(self.attempts):
            (outcome,) = yield (Call(model=self.model, messages=messages, purpose="judge"),)
            if not isinstance(outcome, Response):
                return None
            grade, _ = scale.read(outcome.text)
            if grade is not None:
                return grade
            again = Message(role="user", content=scale.reminder)
            messages = (*messages, Message(role="assistant", content=outcome.text), again)
        return None
