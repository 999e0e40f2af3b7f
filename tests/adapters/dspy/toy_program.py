"""A program of two predictors whose questions are easy or hard, models that are good at one or both, and examples of it."""

from __future__ import annotations

import re
from typing import Any

import dspy

from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.testing.replay_server import Recorded

__all__ = ["POOL", "PRICES", "Pair", "answer", "examples", "right"]

PRICES = {"large": (10.0, 40.0), "small": (0.5, 1.5)}
POOL = ModelPool(
    ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out)) for name, (into, out) in PRICES.items()
)
_EASY = ("add the numbers", "sum the digits", "count the words", "name the capital")


class Pair(dspy.Module):
    """Answers two questions, the second one in steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first = dspy.Predict("question -> answer")
        self.second = dspy.ChainOfThought("context, question -> answer")

    def forward(self, one: str, two: str) -> Any:
        """Answer both."""
        second = self.second(context="prove prove prove", question=two)
        return dspy.Prediction(first=self.first(question=one).answer, second=second.answer)


def question(i: int) -> str:
    """Return the i-th question; every third one is hard."""
    return f"{'prove the theorem about' if i % 3 == 0 else _EASY[i % 4]} case {i}"


def examples(n: int) -> list[Any]:
    """Return n examples."""
    return [dspy.Example(one=question(i), two=question(7 * i + 1)).with_inputs("one", "two") for i in range(n)]


def right(_example: Any, prediction: Any, _trace: Any = None) -> float:
    """Return the share of right answers."""
    return ((prediction.first == "right") + (prediction.second == "right")) / 2


def answer(model: str, request: dict[str, Any]) -> Recorded:
    """Answer "right", but where the small model is asked to prove something "wrong"; in the fields that are asked for."""
    said = request["messages"][-1]["content"]
    asked = said.partition("Respond with")[0].rpartition("[[ ## question ## ]]")[2]
    text = "wrong" if model == "small" and "prove" in asked else "right"
    fields = re.findall(r"\[\[ ## (\w+) ## \]\]", said.partition("Respond with")[2])
    return Recorded(
        text="".join(f"[[ ## {field} ## ]]\n{text}\n\n" for field in fields), input_tokens=50, output_tokens=10
    )
