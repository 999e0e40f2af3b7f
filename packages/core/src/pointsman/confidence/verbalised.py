"""Verbalised: how sure a model says it is."""

from __future__ import annotations

import re
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
_PER_CENT = re.compile(r"(?<![\w.])(-?\d{1,9}(?:\.\d{1,9})?)\s*(?:%|per\s?cent\b|(?:/|out of)\s*100\b)", re.IGNORECASE)


class Verbalised(Confidence):
    """The chance of being right that the model states when it is asked about its answer.

    One further call of the same model, with the conversation so far. Models overstate it, so wrap it in `Calibrated`; among
    uncertainty signals it is a weak one ("Confident or Seek Stronger", arXiv 2502.04428). What is called per cent, or is out of
    100, counts before any other number. None where the call fails or names no percentage; a bare number between 0 and 1 is
    none, as it may be a share.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"text", "judge"})

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Ask the last model."""
        last = responses[-1]
        messages = (*conversation(query), Message(role="assistant", content=last.text), _user(_ASKED))
        (outcome,) = yield (Call(model=last.model, messages=messages, purpose="judge"),)
        return _chance(outcome.text) if isinstance(outcome, Response) else None


def _chance(reply: str) -> float | None:
    """Return the chance that a reply names, or None."""
    named = _PER_CENT.findall(reply)
    stated = float(named[-1]) if named else last_number(reply)
    if stated is None or not 0 <= stated <= _WHOLE or (not named and 0 < stated < 1):
        return None
    return stated / _WHOLE


def conversation(query: Query) -> tuple[Message, ...]:
    """Return what a model was sent: the query's conversation, else its text."""
    return query.messages or (_user(query.text),)


def _user(text: str) -> Message:
    return Message(role="user", content=text)
