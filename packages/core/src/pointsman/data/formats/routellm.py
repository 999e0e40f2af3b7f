"""RouteLLM's evaluations (Ong et al., 2406.18665): a row per prompt, whether each model was right, perhaps its response.

`gsm8k_responses.csv` and `mmlu_SUBJECT.csv` have the columns prompt, MODEL with True or False, and for some `MODEL_response`.
The file's name is the domain. Battles, from which its routers learn, are recognised by their columns and read as `arena`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pointsman.data.formats import arena
from pointsman.data.formats.layout import INDEX_COLUMNS, Format, Source, constant
from pointsman.data.formats.values import graded
from pointsman.data.readers.problems import shown
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError, choices

__all__ = ["FORMAT", "outcomes"]

_RESPONSE = "_response"


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file and model, or per file and side of its battles."""
    for source in sources:
        if "model_a" in source.table.columns:
            yield from arena.outcomes([source])
        else:
            yield from _graded(source)


def _graded(source: Source) -> Iterator[Table]:
    columns = source.table.columns
    text = source.need("text", "prompt")
    taken = {"prompt", *source.columns.values(), *INDEX_COLUMNS}
    models = [name for name in columns if name not in taken and name.removesuffix(_RESPONSE) not in {*columns} - {name}]
    domain = source.path.stem.removesuffix("_responses") if source.path is not None else None
    if not models:
        raise source.undecided("quality", ())
    for name in models:
        _refuse_text(source, name, columns[name])
    for name in models:
        yield source.long(
            {
                "text": text,
                "query_id": source.find("query_id"),
                "domain": source.find("domain") or constant(domain, len(source.table)),
                "model": source.answered_by(name),
                "quality": graded(columns[name]),
                "answer": columns.get(name + _RESPONSE),
            }
        )


def _refuse_text(source: Source, name: str, column: Column) -> None:
    """Raise DataError for a column that begins with prose: it is no model's, and taking it for one helps nobody."""
    first = next((value for value, given in zip(column.values, column.given, strict=True) if given), None)
    if isinstance(first, str) and first.strip().lower() not in {"true", "false"}:
        try:
            float(first)
        except ValueError:
            raise DataError(
                f"{source.table.source}: column {name!r} holds {shown(first)}, but besides 'prompt' this format has only "
                f"columns of true and false per model, and MODEL{_RESPONSE}; it has {choices(source.table.columns)}. "
                "Battles need 'model_a', 'model_b' and who won."
            ) from None


FORMAT = Format(
    outcomes=outcomes,
    suffixes=(".csv", ".jsonl", ".parquet"),
    fields=("query_id", "text", "domain"),
)
