"""Verbalised: how sure a model says it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pointsman.confidence.base import Confidence
from pointsman.confidence.reading import last_number
from pointsman.flow import Plan
from pointsman.types import Call, Context, Message, Query, Response

__all__ = ["Verbalised", "conversation"]

_ASKED = (
    "How likely is it that your answer is right? Reply with a whole number of per cent from 0 (certainly wrong) to 100 "
    "(certainly right), and nothing else."
)
_WHOLE = 100


class Verbalised(Confidence):
    """The chance of being right that the model states when it is asked about its answer.

    One further call of the same model, with the conversation so far. Models overstate it, so wrap it in `Calibrated`; among
    uncertainty signals it is a weak one ("Confident or Seek Stronger", arXiv 2502.04428). None where the call fails or names no
    percentage.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"text", "judge"})

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Ask the last model."""
        last = responses[-1]
        messages = (*conversation(query), Message(role="assistant", content=last.text), _user(_ASKED))
        (outcome,) = yield (Call(model=last.model, messages=messages, purpose="judge"),)
        stated = last_number(outcome.text) if isinstance(outcome, Response) else None
        return None if stated is None or not 0 <= stated <= _WHOLE else stated / _WHOLE


def conversation(query: Query) -> tuple[Message, ...]:
    """Return what a model was sent: the query's conversation, else its text."""
    return query.messages or (_user(query.text),)


def _user(text: str) -> Message:
    return Message(role="user", content=text)
