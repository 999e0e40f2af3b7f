"""Drafting: small cascades that the tests of several adapters run."""

from __future__ import annotations

from typing import Any

from pointsman.confidence.likelihood import TokenLikelihood
from pointsman.flow import Plan, ask
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.routers.cascade import Cascade
from pointsman.testing.replay_server import Recorded
from pointsman.types import Answer, Call, Context, Decision, Message, Query

__all__ = ["BY_LIKELIHOOD", "Drafting", "unsure"]

BY_LIKELIHOOD = Cascade(order=("small", "large"), confidence=TokenLikelihood(), thresholds=(0.9,))
"""A cascade that keeps a draft whose tokens were likely."""


def unsure(model: str, request: dict[str, Any]) -> Recorded:
    """Answer for the replay server: the small model is unsure of its tokens when the question is "hard"."""
    hard = request["messages"][-1]["content"] == "hard"
    return Recorded(text=f"{model} it is", logprob=-2.0 if hard and model == "small" else -0.01)


class Drafting(Router):
    """Draft with the small model, ask the medium one to judge the draft, and escalate what it calls wrong."""

    pool: ModelPool

    @property
    def models(self) -> ModelPool:
        """The three models."""
        return self.pool

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Begin with the draft."""
        return Decision(model="small", ranking=("small", "large"), final=False, reason="draft first")

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Draft, judge, and escalate if need be."""
        decision = self.decide(query, context)
        draft = yield from ask(Call(model="small", decision=decision))
        question = (Message(role="user", content=f"Is this right? {draft.text}"),)
        verdict = yield from ask(Call(model="medium", messages=question, purpose="judge", params={"temperature": 0}))
        if verdict.text.startswith("yes"):
            return Answer.of(draft, reason="accepted")
        final = yield from ask(Call(model="large", decision=decision, stream=True))
        return Answer.of(final, reason="escalated")
