"""LlamaIndex evaluators: lists of `EvaluationResult`, or `BatchEvalRunner`'s dictionary of such lists, one model each.

A result has query, response, score, passing and feedback. A file holds their `model_dump()`s: as a JSON list, an object of
lists by evaluator, JSON lines or a table. The quality is the score, or where an evaluator gives none, whether it passes;
`CorrectnessEvaluator` marks from 1 to 5, so read it with `scale=(1, 5)`. Of several evaluators choose one by its name, and by
`NAME.passing` its verdict: `columns={"quality": "correctness"}`. Results marked as invalid are not scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pointsman.data.formats.layout import Format, Source, listed, taken
from pointsman.data.formats.values import graded, plain_records
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError

__all__ = ["FORMAT", "held", "outcomes", "unpacked"]

_FIELDS = ("query", "response", "score", "passing", "feedback", "invalid_result")
_VERDICT = ".passing"
_TRUE = {"true", "1"}


def unpacked(document: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the records of a JSON document: a list of results, or an object of lists by evaluator."""
    if not isinstance(document, dict):
        return listed(document, source)
    return [
        {**result, "evaluator": evaluator}
        for evaluator, results in document.items()
        for result in listed(results, f"{source}, {evaluator!r}")
    ]


def held(results: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the records of results in memory: a list of them, or lists by evaluator."""
    if isinstance(results, Mapping):
        return unpacked({name: _records(found, f"{source}, {name!r}") for name, found in results.items()}, source)
    return _records(results, source)


def _records(results: Any, source: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(results, list | tuple) or any(isinstance(result, Mapping) for result in results):
        return plain_records(results, source)
    for result in results:
        if not all(hasattr(result, name) for name in _FIELDS[:4]):
            raise DataError(f"{source} must hold EvaluationResults of LlamaIndex, holds a {type(result).__name__}.")
    return [{name: getattr(result, name, None) for name in _FIELDS} for result in results]


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file: the results of the evaluator that counts."""
    for source in sources:
        counting, verdict = _counting(source)
        yield counting.long(
            {
                "query_id": counting.find("query_id"),
                "text": counting.need("text", "query"),
                "model": counting.answered_by(str(source.model)),
                "quality": _valid(counting, verdict),
                "answer": counting.find("answer", "response"),
                "domain": counting.find("domain"),
            }
        )


def _counting(source: Source) -> tuple[Source, Column]:
    """Return the results of the evaluator that the user chose, or of the only one, and what it found."""
    evaluators = source.table.columns.get("evaluator")
    wanted = source.columns.get("quality")
    if evaluators is None:
        return source, _found(source) if wanted is None else source.need("quality")
    names = sorted({str(name) for name in evaluators.values.tolist()})
    chosen = (wanted or "").removesuffix(_VERDICT) if wanted not in {None, "score", "passing"} else names[0]
    if chosen not in names or (len(names) > 1 and wanted in {None, "score", "passing"}):
        raise source.undecided("quality, the name of an evaluator", names)
    others = {name: own for name, own in source.columns.items() if name != "quality"}
    mine = replace(source, table=taken(source.table, evaluators.values == chosen), columns=others)
    if wanted == "score":
        return mine, mine.need("quality", "score")
    verdict = wanted == "passing" or (wanted or "").endswith(_VERDICT)
    return mine, mine.need("quality", "passing") if verdict else _found(mine)


def _found(source: Source) -> Column:
    """Return the scores; where there are none at all, the verdicts."""
    scores = source.need("quality", "score", "passing")
    return scores if scores.given.any() else source.find("quality", "passing") or scores


def _valid(source: Source, quality: Column) -> Column:
    invalid = source.find("invalid_result", "invalid_result")
    scores = graded(quality)
    if invalid is None:
        return scores
    void = [str(value).strip().lower() in _TRUE for value in invalid.values.tolist()]
    return Column.of([None if bad else value for bad, value in zip(void, scores.values.tolist(), strict=True)])


FORMAT = Format(
    outcomes=outcomes,
    unpacked=unpacked,
    held=held,
    suffixes=(".json", ".jsonl", ".csv", ".parquet"),
    fields=("query_id", "text", "quality", "answer", "domain"),
    names_models=False,
    takes_models=True,
)
