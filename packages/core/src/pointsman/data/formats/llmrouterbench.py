"""LLMRouterBench (2601.07206): `DATASET/SPLIT/MODEL/DATASET-SPLIT-MODEL-YYYYMMDD_HHMMSS.json`, records of one model each.

A file names its model_name, dataset_name and split, and holds records with index, origin_query, prediction, score,
prompt_tokens, completion_tokens and cost in US dollars. As the benchmark does, the latest file of a model on a split counts,
and demonstrations do not. Files in which nothing cost anything are of models that nobody priced: their costs are unknown.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pointsman.data.formats.layout import Format, Source, listed
from pointsman.data.formats.values import as_text, graded, mapped
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError, choices

__all__ = ["FORMAT", "outcomes", "unpacked"]

_log = logging.getLogger(__name__)

_OF_THE_FILE = ("model_name", "dataset_name", "split")
_STAMP = re.compile(r"(\d{8})_(\d{6})$")


def unpacked(document: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return a file's records, each with what the file says of all of them."""
    wanted = ("records", *_OF_THE_FILE)
    if not isinstance(document, dict) or any(name not in document for name in wanted):
        has = choices(document) if isinstance(document, dict) else "no object"
        raise DataError(f"{source} must be an object with {choices(wanted)}; it has {has}.")
    if document.get("demo"):
        _log.warning("%s is a demonstration and left out", source)
        return []
    told = {name: document[name] for name in _OF_THE_FILE}
    return [{**record, **told} for record in listed(document["records"], f"records of {source}")]


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per model and split: that of its latest file."""
    for source in _latest([source for source in sources if len(source.table)]):
        columns = source.table.columns
        index = source.need("query_id", "index")
        names = zip(columns["dataset_name"].values, columns["split"].values, index.values, strict=True)
        yield source.long(
            {
                "query_id": Column.of(["/".join(map(str, parts)) for parts in names]),
                "text": mapped(source.need("text", "origin_query", "prompt"), as_text),
                "model": columns["model_name"],
                "quality": graded(source.need("quality", "score")),
                "answer": mapped(source.find("answer", "prediction"), as_text),
                "cost_usd": _cost(source),
                "input_tokens": source.find("input_tokens", "prompt_tokens"),
                "output_tokens": source.find("output_tokens", "completion_tokens"),
                "domain": source.find("domain", "dataset_name"),
            }
        )


def _latest(sources: Sequence[Source]) -> Iterator[Source]:
    """Yield the latest file of each model on each split, by the time in its name; the others are named in the log."""
    found: dict[tuple[str, ...], list[Source]] = {}
    for source in sources:
        found.setdefault(tuple(str(source.table.columns[name].values[0]) for name in _OF_THE_FILE), []).append(source)
    for same in found.values():
        *earlier, last = sorted(same, key=_time)
        for source in earlier:
            _log.warning("%s is older than %s and left out", source.table.source, last.table.source)
        yield last


def _time(source: Source) -> tuple[str, str]:
    name = source.path.stem if source.path is not None else ""
    stamp = _STAMP.search(name)
    return ("".join(stamp.groups()) if stamp else "", name)


def _cost(source: Source) -> Column | None:
    column = source.find("cost_usd", "cost")
    if column is None or any(value not in (0, None) for value in column.values.tolist()):
        return column
    _log.warning("%s: no record cost anything, so what they cost counts as unknown", source.table.source)
    return None


FORMAT = Format(
    outcomes=outcomes,
    unpacked=unpacked,
    suffixes=(".json",),
    fields=(
        "query_id",
        "text",
        "quality",
        "answer",
        "cost_usd",
        "input_tokens",
        "output_tokens",
        "domain",
    ),
)
