"""LangSmith: runs with feedback, as `Client.list_runs`, bulk export and experiments give them.

A run has inputs, outputs, extra.metadata.ls_model_name, feedback_stats (by key, with avg), total_cost, prompt_tokens,
completion_tokens, start_time and end_time; an experiment's data frame has inputs.NAME, outputs.NAME, feedback.KEY,
execution_time and example_id. Outcomes are the outermost runs of a file; one that names no model has that of the calls
inside it, if they agree. The query is the example it answers, its text the only input or the last human message.
Of several inputs or feedback keys choose one: `columns={"text": "question", "quality": "correctness"}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from pointsman.data.formats.layout import Format, Source, constant, taken
from pointsman.data.formats.messages import last_asked, last_said
from pointsman.data.formats.values import as_text, expanded, flattened, graded, mapped, plain_records
from pointsman.data.readers.problems import shown
from pointsman.data.readers.tables import Column, Table

__all__ = ["FORMAT", "held", "outcomes"]

_MODEL = ("extra.metadata.ls_model_name", "extra.invocation_params.model", "extra.invocation_params.model_name")
_INPUTS, _OUTPUTS = ("inputs.", "input."), ("outputs.",)
_NESTED = ("inputs", "outputs", "extra", "feedback_stats")


def held(results: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the records of runs in memory, or of an experiment's rows of run, example and evaluation results."""
    if hasattr(results, "to_dict") and hasattr(results, "columns"):
        return plain_records(results, source)
    return plain_records([_record(row) for row in results], source)


def _record(row: Any) -> Any:
    if isinstance(row, Mapping) and "run" in row and "evaluation_results" in row:
        given = _plain(_plain(row.get("example") or {}).get("inputs") or {})
        found = [_plain(result) for result in _plain(row["evaluation_results"])["results"]]
        marks = {result["key"]: result["value" if result.get("score") is None else "score"] for result in found}
        record = _plain(row["run"])
        return {**record, "inputs": given or record.get("inputs"), "feedback": marks}
    return _plain(row)


def _plain(value: Any) -> Any:
    """Return an object of LangSmith's client as a mapping."""
    return value.model_dump() if hasattr(value, "model_dump") else value


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file: its outermost runs."""
    for source in sources:
        every = replace(source, table=_flat(source.table))
        run = replace(every, table=_filled(taken(every.table, _outermost(every.table))))
        example = run.find("query_id", "reference_example_id", "example_id")
        yield run.long(
            {
                "query_id": mapped(example, str),
                "text": _question(run),
                "model": _model(run, every.table),
                "quality": graded(_feedback(run)),
                "answer": _answer(run),
                "domain": run.find("domain"),
                "cost_usd": run.find("cost_usd", "total_cost"),
                "input_tokens": run.find("input_tokens", "prompt_tokens"),
                "output_tokens": run.find("output_tokens", "completion_tokens"),
                "latency_s": run.find("latency_s", "execution_time") or _latency(run),
            }
        )


def _flat(table: Table) -> Table:
    """Return a table of flat columns; objects that a CSV or a bulk export holds as JSON are opened."""
    rows = []
    for row in range(len(table)):
        given = {name: column.values[row] for name, column in table.columns.items() if column.given[row]}
        opened = {name: expanded(value) if name in _NESTED else value for name, value in given.items()}
        rows.append(flattened(opened))
    return Table.of_rows(rows, table.numbers.tolist(), table.source, table.unit)


def _filled(table: Table) -> Table:
    """Return a table without the columns in which it has nothing: those are the columns of runs inside its own."""
    return replace(table, columns={name: column for name, column in table.columns.items() if column.given.any()})


def _outermost(table: Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if "parent_run_id" not in table.columns or "id" not in table.columns:
        return np.ones(len(table), dtype=bool)
    known = {str(name) for name in table.columns["id"].values.tolist() if name is not None}
    return np.array([str(parent) not in known for parent in table.columns["parent_run_id"].values.tolist()], dtype=bool)


def _named(table: Table) -> list[str | None]:
    """Return the model that each run names itself."""
    there = [table.columns[name].values.tolist() for name in _MODEL if name in table.columns]
    found = (next((str(name) for name in names if name), None) for names in zip(*there, strict=True))
    return list(found) if there else [None] * len(table)


def _model(run: Source, every: Table) -> Column:
    """Return who answered each run: as the user says, as it says itself, or as all the calls inside it say."""
    if run.model is not None:
        return constant(run.model, len(run.table))
    if "model" in run.columns:
        return run.need("model")
    inside: dict[str, set[str]] = {}
    traces = every.columns["trace_id"].values.tolist() if "trace_id" in every.columns else [None] * len(every)
    for trace, name in zip(traces, _named(every), strict=True):
        if trace is not None and name is not None:
            inside.setdefault(str(trace), set()).add(name)
    own = _named(run.table)
    traces = run.table.columns["trace_id"].values.tolist() if "trace_id" in run.table.columns else [None] * len(own)
    models = []
    for row, (name, trace) in enumerate(zip(own, traces, strict=True)):
        called = sorted(inside.get(str(trace), ())) if name is None else [name]
        models.append(called[0] if len(called) == 1 else None)
        if len(called) != 1:
            why = f"calls {', '.join(called)}" if called else f"names no model in {', '.join(_MODEL)}"
            run.problems.add(
                run.table.place(row), f"{why}; say who answered by {{'small': file}} or columns={{'model': ...}}"
            )
            models[-1] = "?"
    return Column.of(models)


def _question(run: Source) -> Column:
    chosen = run.columns.get("text")
    names = [name for name in run.table.columns if name.startswith(_INPUTS)]
    if chosen is not None and chosen not in run.table.columns:
        names = [name for name in names if name.split(".", 1)[1] == chosen]
    elif chosen is not None:
        names = [chosen]
    if len(names) != 1:
        names = [name for name in names if name.split(".", 1)[1] == "messages"] or names
    if len(names) != 1:
        raise run.undecided("text", names)
    return mapped(run.table.columns[names[0]], _asked) or run.table.columns[names[0]]


def _asked(value: Any) -> Any:
    asked = last_asked(expanded(value))
    return value if asked is None else asked


def _answer(run: Source) -> Column | None:
    """Return the column the user chose, or the only output; lists of messages give what the model said last."""
    names = [name for name in run.table.columns if name.startswith(_OUTPUTS)]
    column = run.find("answer", *(names if len(names) == 1 else ()))
    return mapped(column, lambda value: as_text(last_said(expanded(value)) or value))


def _feedback(run: Source) -> Column:
    """Return the scores of the feedback key that the user chose, or of the only one there is."""
    keys = {key: name for name in run.table.columns if (key := _key(name)) is not None}
    chosen = run.columns.get("quality")
    if chosen in keys:
        return run.table.columns[keys[chosen]]
    if chosen is not None:
        return run.need("quality")
    if len(keys) != 1:
        raise run.undecided("quality, a key of feedback", keys)
    return run.table.columns[next(iter(keys.values()))]


def _key(name: str) -> str | None:
    if name.startswith("feedback_stats.") and name.endswith(".avg"):
        return name.removeprefix("feedback_stats.").removesuffix(".avg")
    return name.removeprefix("feedback.") if name.startswith("feedback.") else None


def _latency(run: Source) -> Column | None:
    begun, ended = run.find("latency_s", "start_time"), run.find("latency_s", "end_time")
    if begun is None or ended is None:
        return None
    pairs = zip(begun.values.tolist(), ended.values.tolist(), strict=True)
    return Column.of([_seconds(run, row, *pair) for row, pair in enumerate(pairs)])


def _seconds(run: Source, row: int, begun: Any, ended: Any) -> float | None:
    if begun is None or ended is None:
        return None
    try:
        return (_time(ended) - _time(begun)).total_seconds()
    except (ValueError, TypeError):
        times = f"{shown(begun)} and {shown(ended)}"
        run.problems.add(run.table.place(row), f"start_time and end_time must be ISO 8601, are {times}")
        return None


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


FORMAT = Format(
    outcomes=outcomes,
    held=held,
    suffixes=(".jsonl", ".json", ".csv", ".parquet"),
    fields=(
        "query_id",
        "text",
        "model",
        "quality",
        "answer",
        "domain",
        "cost_usd",
        "input_tokens",
        "output_tokens",
        "latency_s",
    ),
    takes_models=True,
)
