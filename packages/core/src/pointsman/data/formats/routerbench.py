"""RouterBench (Hu et al., 2403.12031): `routerbench_0shot` and `_5shot`, a row per prompt and three columns per model.

Its columns are sample_id, prompt, eval_name, oracle_model_to_route_to and, for every MODEL, its score under its bare name,
`MODEL|model_response` and `MODEL|total_cost` in US dollars. Prompts and answers are lists that Python wrote as text; they
are read as the texts in them. It is published as a pickle, which is never opened here: convert it to parquet or CSV first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pointsman.data.formats.layout import INDEX_COLUMNS, Format, Source
from pointsman.data.formats.values import graded, mapped, unwrapped
from pointsman.data.readers.tables import Table

__all__ = ["FORMAT", "outcomes"]

_ANSWER, _COST = "|model_response", "|total_cost"
_QUERY = ("sample_id", "prompt", "eval_name", "oracle_model_to_route_to", "idx", *INDEX_COLUMNS)


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file and model; a cell that is empty throughout is one that was not run."""
    for source in sources:
        columns = source.table.columns
        shared = {
            "query_id": source.need("query_id", "sample_id"),
            "text": mapped(source.need("text", "prompt"), unwrapped),
            "domain": source.find("domain", "eval_name"),
        }
        models = [name for name in columns if "|" not in name and name not in {*_QUERY, *source.columns.values()}]
        models = [name for name in models if name + _ANSWER in columns or name + _COST in columns]
        if not models:
            raise source.missing("quality", "MODEL", "MODEL" + _ANSWER, "MODEL" + _COST)
        for name in models:
            yield source.long(
                {
                    **shared,
                    "model": source.answered_by(name),
                    "quality": graded(columns[name]),
                    "answer": mapped(columns.get(name + _ANSWER), unwrapped),
                    "cost_usd": columns.get(name + _COST),
                }
            )


FORMAT = Format(outcomes=outcomes, suffixes=(".csv", ".parquet"), fields=("query_id", "text", "domain"))
