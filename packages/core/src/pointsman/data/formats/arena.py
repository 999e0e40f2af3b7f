"""Chatbot Arena's battles (Chiang et al., 2403.04132): two models answered one question, and somebody voted.

Three layouts are known: `lmsys-arena-human-preference-55k` (prompt, response_a and response_b as lists written in JSON;
winner_model_a, winner_model_b, winner_tie), `chatbot_arena_conversations` and `arena-human-preference-140k` (conversation_a
and conversation_b as messages; winner). Quality is 1 for the winner, 0 for the loser, 1/2 for both of a tie: how often a
model is preferred to whoever it met, which is not how often it is right. Several battles of one question are its runs.
The text is the first question of a conversation, since it is by this one that a router would have chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pointsman.data.formats.layout import Format, Source
from pointsman.data.formats.messages import last_asked, last_said
from pointsman.data.formats.values import expanded, listed_texts, mapped
from pointsman.data.readers.problems import shown
from pointsman.data.readers.tables import Column, Table

__all__ = ["FORMAT", "outcomes"]

_WON = {"a": "winner_model_a", "b": "winner_model_b"}
_TIES = ("winner_tie", "winner_model_tie")
_SCORES = {
    "model_a": (1.0, 0.0),
    "model_b": (0.0, 1.0),
    "tie": (0.5, 0.5),
    "tie (bothbad)": (0.5, 0.5),
    "both_bad": (0.5, 0.5),
}
_YES = {"1", "1.0", "true"}


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file and side."""
    for source in sources:
        scores = _scores(source)
        text = mapped(source.need("text", "prompt", "conversation_a"), _first_question)
        for side, model in enumerate(("model_a", "model_b")):
            letter = model[-1]
            yield source.long(
                {
                    "query_id": source.find("query_id"),
                    "text": text,
                    "model": source.need(model, model),
                    "quality": Column.of([None if pair is None else pair[side] for pair in scores]),
                    "answer": mapped(
                        source.find("answer", f"response_{letter}", f"conversation_{letter}"), _first_answer
                    ),
                    "domain": source.find("domain"),
                }
            )


def _scores(source: Source) -> list[tuple[float, float] | None]:
    """Return the scores of both sides of every battle; a vote that says nothing known is a problem."""
    if (winner := source.find("winner", "winner")) is not None:
        votes = [str(value) if given else None for value, given in zip(winner.values, winner.given, strict=True)]
    else:
        votes = _one_hot(source)
    for row, vote in enumerate(votes):
        if vote is not None and vote not in _SCORES:
            known = ", ".join(map(repr, _SCORES))
            source.problems.add(source.table.place(row), f"winner must be one of {known}, is {shown(vote)}")
    return [None if vote is None else _SCORES.get(vote, (0.5, 0.5)) for vote in votes]


def _one_hot(source: Source) -> list[str | None]:
    won = {side: source.need("winner", own) for side, own in _WON.items()}
    tied = source.need("winner", *_TIES)
    named = {"model_a": won["a"], "model_b": won["b"], "tie": tied}
    votes: list[str | None] = []
    for row in range(len(source.table)):
        said = [name for name, column in named.items() if str(column.values[row]).strip().lower() in _YES]
        votes.append(said[0] if len(said) == 1 else " and ".join(said) or "nobody")
    return votes


def _first_question(value: Any) -> Any:
    return _first(value, last_asked)


def _first_answer(value: Any) -> Any:
    return _first(value, last_said)


def _first(value: Any, pick: Any) -> Any:
    """Return the first text of a list of texts, or the first that `pick` finds in growing stretches of a conversation."""
    texts = listed_texts(value)
    if texts is not None:
        return texts[0]
    messages = expanded(value)
    if not isinstance(messages, list):
        return value
    found = (pick(messages[: end + 1]) for end in range(len(messages)))
    return next((text for text in found if text is not None), value if isinstance(value, str) else None)


FORMAT = Format(
    outcomes=outcomes,
    suffixes=(".csv", ".jsonl", ".json", ".parquet"),
    fields=("query_id", "text", "domain", "winner", "model_a", "model_b"),
)
