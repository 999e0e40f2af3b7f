"""ragas: the samples of one model's answers with a column per metric, as `EvaluationResult.to_pandas()` lays them out.

The question is in user_input (question until 0.1) and the answer in response (answer until 0.1). Every other column that is
not of a sample is a metric; where there are several, say which is the quality: `columns={"quality": "faithfulness"}`. A
conversation as user_input is known by what its human said last. A NaN is a metric that failed: not scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pointsman.data.formats.layout import INDEX_COLUMNS, Format, Source
from pointsman.data.formats.messages import last_asked
from pointsman.data.formats.values import as_text, expanded, graded, mapped, plain_records
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError

__all__ = ["FORMAT", "held", "outcomes"]

_SAMPLE = {
    *("user_input", "response", "retrieved_contexts", "reference", "reference_contexts", "rubrics", "multi_responses"),
    *("retrieved_context_ids", "reference_context_ids", "persona_name", "query_style", "query_length"),
    *("reference_tool_calls", "reference_topics", "synthesizer_name"),
    *("question", "answer", "contexts", "ground_truth", "ground_truths"),
    *INDEX_COLUMNS,
}


def held(results: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the records of an EvaluationResult in memory, or of its data frame."""
    scores: Any = getattr(results, "scores", None)
    dataset: Any = getattr(results, "dataset", None)
    if isinstance(scores, list) and hasattr(dataset, "to_list"):
        samples = dataset.to_list()
        if len(samples) != len(scores):
            raise DataError(f"{source} has {len(samples)} samples and {len(scores)} scores.")
        return [{**sample, **score} for sample, score in zip(samples, scores, strict=True)]
    return plain_records(results, source)


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file."""
    for source in sources:
        yield source.long(
            {
                "query_id": source.find("query_id"),
                "text": mapped(source.need("text", "user_input", "question"), _question),
                "model": source.answered_by(str(source.model)),
                "quality": graded(_metric(source)),
                "answer": mapped(source.find("answer", "response", "answer"), as_text),
                "domain": source.find("domain"),
                "cost_usd": source.find("cost_usd"),
                "latency_s": source.find("latency_s"),
            }
        )


def _metric(source: Source) -> Column:
    taken = {*_SAMPLE, *source.columns.values()}
    metrics = [name for name in source.table.columns if name not in taken]
    if "quality" not in source.columns and len(metrics) != 1:
        raise source.undecided("quality", metrics)
    return source.need("quality", *metrics)


def _question(value: Any) -> Any:
    asked = last_asked(expanded(value))
    return value if asked is None else asked


FORMAT = Format(
    outcomes=outcomes,
    held=held,
    suffixes=(".csv", ".jsonl", ".json", ".parquet"),
    fields=("query_id", "text", "quality", "answer", "domain", "cost_usd", "latency_s"),
    names_models=False,
    takes_models=True,
)
