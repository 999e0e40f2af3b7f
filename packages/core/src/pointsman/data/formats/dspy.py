"""dspy.Evaluate: one model's predictions for the examples of a development set, as it saves and as it returns them.

`save_as_json` and `save_as_csv` write a row per example: its fields, those of the prediction (`example_NAME` and `pred_NAME`
where both have one) and last of all the metric under its own name. In memory, `EvaluationResult.results` are triples of
example, prediction and score. The question is the example's only input, or the field `question`; where it is another one, say
so: `columns={"text": "claim"}`. The answer is the prediction, or the only field of it that the example has as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pointsman.data.formats.layout import Format, Source, listed
from pointsman.data.formats.values import as_text, graded, mapped
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError

__all__ = ["FORMAT", "held", "outcomes", "unpacked"]

_SCORE = "score of dspy.Evaluate"
_INPUT = "input of the example: "
_TOKENS = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}


def unpacked(document: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the records of `save_as_json`; the metric, which stands last in each, gets a name of its own as well."""
    records = [record for record in listed(document, source) if record]
    last = {[*record][-1] for record in records}
    if len(last) != 1:
        return records
    metric = last.pop()
    return [{**record, _SCORE: record[metric]} for record in records]


def held(results: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the records of an EvaluationResult in memory, or of the list of triples that it holds."""
    triples = getattr(results, "results", results)
    if not isinstance(triples, Sequence) or isinstance(triples, str):
        raise DataError(f"{source} must be an EvaluationResult of dspy, or its results, is {type(results).__name__}.")
    records = []
    for number, triple in enumerate(triples):
        if not isinstance(triple, Sequence) or len(triple) != 3:  # noqa: PLR2004 - a triple
            raise DataError(f"{source}, record {number} must be a triple of example, prediction and score.")
        records.append(_record(*triple))
    return records


def _record(example: Any, prediction: Any, score: Any) -> dict[str, Any]:
    """Return what `save_as_json` would write, and besides which fields were inputs and what tokens were used."""
    asked = _fields(example) or {}
    said = _fields(prediction)
    if said is None:
        said, answered = {}, {"prediction": prediction}
    else:
        answered = {f"pred_{name}" if name in asked else name: value for name, value in said.items()}
    return {
        **{f"example_{name}" if name in said else name: value for name, value in asked.items()},
        **answered,
        **{_INPUT + name: value for name, value in _inputs(example).items()},
        **_usage(prediction),
        _SCORE: getattr(score, "score", score),  # a metric for an optimiser returns its score with feedback
    }


def _fields(record: Any) -> dict[str, Any] | None:
    """Return the fields of an example or a prediction; None of what has none, such as a bare string."""
    for name in ("toDict", "items"):
        if callable(method := getattr(record, name, None)):
            return dict(method())
    return None


def _inputs(example: Any) -> dict[str, Any]:
    if not callable(inputs := getattr(example, "inputs", None)):
        return {}
    try:
        return _fields(inputs()) or {}
    except ValueError:  # with_inputs was not called on it
        return {}


def _usage(prediction: Any) -> dict[str, int]:
    """Return the tokens of all calls behind a prediction, where DSPy tracked them."""
    usage = prediction.get_lm_usage() if callable(getattr(prediction, "get_lm_usage", None)) else None
    if not usage:
        return {}
    counts = {name: [calls.get(own) for calls in usage.values()] for name, own in _TOKENS.items()}
    return {name: sum(found) for name, found in counts.items() if None not in found}


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file."""
    for source in sources:
        yield source.long(
            {
                "query_id": source.find("query_id"),
                "text": mapped(_question(source), as_text),
                "model": source.answered_by(str(source.model)),
                "quality": graded(_metric(source)),
                "answer": mapped(_answer(source), as_text),
                "domain": source.find("domain"),
                "input_tokens": source.find("input_tokens", "input_tokens"),
                "output_tokens": source.find("output_tokens", "output_tokens"),
            }
        )


def _question(source: Source) -> Column:
    inputs = [name for name in source.table.columns if name.startswith(_INPUT)]
    return source.need("text", *(inputs if len(inputs) == 1 else ()), "question", "example_question")


def _metric(source: Source) -> Column:
    """Return the scores; in a CSV the metric is the last column."""
    return source.need("quality", _SCORE, *[*source.table.columns][-1:])


def _answer(source: Source) -> Column | None:
    predicted = [name for name in source.table.columns if name.startswith("pred_") or name == "prediction"]
    return source.find("answer", *(predicted if len(predicted) == 1 else ()))


FORMAT = Format(
    outcomes=outcomes,
    unpacked=unpacked,
    held=held,
    suffixes=(".json", ".csv"),
    fields=("query_id", "text", "quality", "answer", "domain", "input_tokens", "output_tokens"),
    names_models=False,
    takes_models=True,
)
