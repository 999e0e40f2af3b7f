"""Listeners: models that answer what a confidence asks, each in the form it is asked for, alike every time."""

from __future__ import annotations

from hashlib import blake2b

from pointsman.flow import Effect, Outcome
from pointsman.testing.toys import embed
from pointsman.types import Call, Embed, Query, Response

__all__ = ["ANSWERS", "Listener"]

ANSWERS = ("4", "The answer is (B).", " the answer is (b) ", "four", "4", "It is 4.", "")
"""Answers of which some say the same."""

_USD = 0.01


class Listener:
    """Performs calls about one query: answers, samples, grades, checks, percentages, comparisons.

    What it replies depends on the call alone, so that runs can be compared.

    Parameters:
        query: What is asked.
    """

    def __init__(self, query: Query) -> None:
        self.query = query

    def __call__(self, effect: Effect) -> Outcome:
        """Perform one effect."""
        if isinstance(effect, Embed):
            return tuple(embed(text) for text in effect.texts)
        if effect.purpose != "judge":
            return self.response(self.query, effect.model)
        asked = "\n".join(message.text for message in effect.messages or ())
        return Response(model=effect.model, text=_reply(effect, asked), cost_usd=_USD)

    @staticmethod
    def response(query: Query, model: str) -> Response:
        """Return what a model answers: the small and the medium one say the same to every other query."""
        draw = _draw(query.text)
        number = draw if model == "small" or (model == "medium" and draw % 2) else draw + len(model)
        return Response(
            model=model,
            text=f"The answer is {number}.",
            cost_usd=_USD,
            logprobs=(-0.1 * (1 + draw % 5), -0.5, -1.0),
            top_logprobs=((-0.2, -2.0), (-0.5, -1.5), (-1.0, -1.1)),
        )


def _draw(text: str) -> int:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=1).digest()[0] % 10


def _reply(call: Call, asked: str) -> str:
    """Return a judgement in the form that the prompt asks for."""
    draw = _draw(call.model + asked)
    if "Verdict:" in asked:
        return f"It may be. Verdict: {'correct' if draw % 3 else 'incorrect'}"
    if "yes or no" in asked:
        return "Yes." if draw % 2 else "No."
    return f'{{"score": {1 + draw}}}' if "score" in asked else str(10 * draw)
