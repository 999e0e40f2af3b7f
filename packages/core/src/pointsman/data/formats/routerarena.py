"""RouterArena (Lu et al., 2510.00202): graded results of one model on all queries, or predictions of one router.

`cached_results/MODEL.jsonl` has global_index, question, llm_selected, generated_answer, token_usage and evaluation_result
(score, inference_cost); `predictions/ROUTER.json` has "global index", prompt, prediction (the model), generated_result, cost
and accuracy. The domain is the data set in the index. Given the folder of the repository, prices come from its
`model_cost/model_cost.json`. Its rules ban training on it, which every dataset read from it says in its notes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointsman.data.formats.layout import Format, Source
from pointsman.data.formats.values import flattened, graded, mapped
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError
from pointsman.models import ModelPool, ModelSpec, Price

__all__ = ["FORMAT", "outcomes", "prices_beside"]

_PRICES = ("model_cost/model_cost.json", "model_cost/cost.json")
_RATES = ("input_token_price_per_million", "output_token_price_per_million")
_NOTE = (
    "RouterArena is for evaluation only: its rules ban training a router on it, and choosing settings by it. "
    "Evaluate on this dataset; do not fit on it."
)


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file."""
    for source in sources:
        flat = replace(source, table=_flat(source.table))
        index = flat.need("query_id", "global index", "global_index")
        yield flat.long(
            {
                "query_id": index,
                "text": flat.need("text", "prompt", "question"),
                "model": flat.need("model", "prediction", "llm_selected"),
                "quality": graded(flat.need("quality", "accuracy", "evaluation_result.score")),
                "answer": flat.find("answer", "generated_result.generated_answer", "generated_answer"),
                "cost_usd": flat.find("cost_usd", "cost", "evaluation_result.inference_cost"),
                "input_tokens": _tokens(flat, "input_tokens"),
                "output_tokens": _tokens(flat, "output_tokens"),
                "domain": flat.find("domain") or mapped(index, _data_set),
            }
        )


def _flat(table: Table) -> Table:
    rows = [
        flattened({name: column.values[row] for name, column in table.columns.items()}) for row in range(len(table))
    ]
    return Table.of_rows(rows, table.numbers.tolist(), table.source, table.unit)


def _tokens(source: Source, name: str) -> Column | None:
    return source.find(name, f"generated_result.token_usage.{name}", f"token_usage.{name}")


def _data_set(index: Any) -> str:
    """Return what stands before the number of an index such as ArcMMLU_98."""
    return str(index).rpartition("_")[0] or str(index)


def prices_beside(path: Path) -> ModelPool | None:
    """Return the models that the repository's table of prices names, where `path` is the repository's folder."""
    file = next((path / name for name in _PRICES if (path / name).is_file()), None)
    if file is None:
        return None
    try:
        rates = json.loads(file.read_text(encoding="utf-8"))
        priced = {
            name: Price(input_per_mtok=float(row[_RATES[0]]), output_per_mtok=float(row[_RATES[1]]))
            for name, row in rates.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} must map models to {_RATES[0]} and {_RATES[1]}: {error!r}.") from None
    return ModelPool(ModelSpec(name=name, price=price) for name, price in priced.items())


FORMAT = Format(
    outcomes=outcomes,
    pool=prices_beside,
    note=_NOTE,
    suffixes=(".jsonl", ".json"),
    within=("cached_results/*.jsonl", "*.jsonl", "*.json"),
    fields=(
        "query_id",
        "text",
        "model",
        "quality",
        "answer",
        "cost_usd",
        "input_tokens",
        "output_tokens",
        "domain",
    ),
)
