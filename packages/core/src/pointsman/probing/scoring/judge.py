"""Answers graded by a model under a rubric."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.confidence.grading import Scale, grading_task
from pointsman.errors import ConfigError
from pointsman.probing.prompts import Prompt
from pointsman.probing.scoring.base import Ask, Score, Scorer
from pointsman.types import Call, Message

__all__ = ["Judge"]


@dataclass(frozen=True, kw_only=True)
class Judge(Scorer):
    """The grade that a model gives, from `low` to `high`, rescaled to [0, 1].

    The question, the references and the answer are marked off as material, so that an answer that speaks to its judge is
    graded, not obeyed. A reply without a readable grade is asked for again; after `attempts` of them the answer stays
    unscored. Every reply is paid and on the books.

    Parameters:
        model: The judge, a model of the pool.
        rubric: What makes an answer good.
        low, high: The ends of the judge's scale.
        attempts: Replies to ask for at most, until one can be read.
    """

    model: str
    rubric: str
    low: float = 0.0
    high: float = 1.0
    attempts: int = 2

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ConfigError(f"Judge.low must be less than Judge.high, got {self.low} and {self.high}.")
        if self.attempts < 1 or not self.rubric.strip():
            raise ConfigError(
                f"Judge needs a rubric and at least one attempt, got {self.rubric!r} and {self.attempts}."
            )

    @property
    def models(self) -> tuple[str, ...]:
        """The judge."""
        return (self.model,)

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Ask the judge."""
        scale = Scale(self.low, self.high)
        task = grading_task(prompt.text, answer, self.rubric, scale, prompt.references)
        messages: tuple[Message, ...] = (Message(role="user", content=task),)
        reply = ""
        for _ in range(self.attempts):
            reply = (await ask(Call(model=self.model, messages=messages, purpose="judge"))).text
            grade, reason = scale.read(reply)
            if grade is not None:
                return Score(quality=grade, note=reason)
            again = Message(role="user", content=scale.reminder)
            messages = (*messages, Message(role="assistant", content=reply), again)
        return Score(
            quality=None, note=f"no grade from {self.low:g} to {self.high:g} in the judge's reply: {reply[:200]}"
        )
