"""Which recorded answer a question gets: its own, or that of the longest recorded text it contains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from pointsman.testing.replay_server.recorded import Recorded

__all__ = ["Recordings"]

_ANCHOR = 40  # characters; long enough to tell most texts apart by their beginning, so few comparisons remain


class Recordings:
    """Recorded answers by model and text, found also inside a longer prompt.

    Containment is looked up by the texts' first characters, so its cost grows with the prompt, hardly with the
    number of texts.

    Parameters:
        answers: (model, text) -> the recorded answer.
    """

    def __init__(self, answers: Mapping[tuple[str, str], Recorded]) -> None:
        self._answers = answers
        self.models = tuple(dict.fromkeys(model for model, _ in answers))
        self._anchored: defaultdict[str, list[str]] = defaultdict(list)
        for text in dict.fromkeys(text for _, text in answers):
            if text:
                self._anchored[text[:_ANCHOR]].append(text)
        self._widths = sorted({len(anchor) for anchor in self._anchored})

    def find(self, model: str, question: str) -> Recorded | None:
        """Return the answer of `model` recorded for `question`, else for the longest text in it, else None.

        >>> known = Recordings({("m", "2+2?"): Recorded(text="4"), ("m", "2"): Recorded(text="two")})
        >>> known.find("m", "Answer briefly: 2+2?").text, known.find("m", "why?"), known.find("n", "2+2?")
        ('4', None, None)
        """
        if (model, question) in self._answers:
            return self._answers[model, question]
        recorded = ((model, text) for text in self._contained(question))
        return next((self._answers[key] for key in recorded if key in self._answers), None)

    def _contained(self, question: str) -> list[str]:
        """Return the recorded texts inside `question`, the longest first."""
        found = {
            text
            for width in self._widths
            for start in range(len(question) - width + 1)
            for text in self._anchored.get(question[start : start + width], ())
            if question.startswith(text, start)
        }
        return sorted(found, key=lambda text: (-len(text), text))
