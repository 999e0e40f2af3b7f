"""How these tests have responses scored, and the models that answer what a confidence asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pointsman.confidence.base import Confidence
from pointsman.flow import Effect, Outcome
from pointsman.testing.assessments import assess
from pointsman.types import Call, CallError, Query, Response

QUERY = Query(text="What is 2 + 2?", id="q")
Score = Callable[..., Any]


class Replies:
    """Models that reply with these texts, one call after the other; None is a failure. Beyond the last, the last again."""

    def __init__(self, *texts: str | None) -> None:
        self.texts = list(texts)
        self.calls: list[Call] = []

    def __call__(self, effect: Effect) -> Outcome:
        """Perform one call."""
        assert isinstance(effect, Call)
        self.calls.append(effect)
        text = self.texts[min(len(self.calls), len(self.texts)) - 1]
        if text is None:
            raise CallError(effect.model, "busy", retryable=True)
        return Response(model=effect.model, text=text, cost_usd=0.01)


@pytest.fixture
def replies() -> type[Replies]:
    """Return the maker of models that reply with given texts."""
    return Replies


@pytest.fixture
def score() -> Score:
    """Return what scores the last of some texts, or responses, with models that answer what is asked."""

    def scoring(confidence: Confidence, *said: str | Response, by: Callable[[Effect], Outcome] | None = None) -> Any:
        responses: Sequence[Response] = [
            one if isinstance(one, Response) else Response(model=f"model{i}", text=one) for i, one in enumerate(said)
        ]
        return assess(confidence, QUERY, responses, by or Replies(None))[0]

    return scoring
