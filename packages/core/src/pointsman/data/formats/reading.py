"""From results in a known format to a dataset: find the sources, bring each to the long form, check all, put together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointsman.data.dataset import RoutingDataset
from pointsman.data.formats.charging import charged
from pointsman.data.formats.layout import Format
from pointsman.data.formats.registry import format_named
from pointsman.data.formats.sources import sources_of
from pointsman.data.readers.assembling import QueryTable, assembled
from pointsman.data.readers.fields import check_names
from pointsman.data.readers.problems import Problems
from pointsman.data.readers.rows import Rows, joined, typed
from pointsman.errors import DataError
from pointsman.models import ModelPool

__all__ = ["read_format"]

_log = logging.getLogger(__name__)


def read_format(
    given: Any,
    name: str,
    *,
    columns: Mapping[str, str] | None = None,
    scale: tuple[float, float] | None = None,
    pool: ModelPool | None = None,
) -> RoutingDataset:
    """Read files, or results in memory, in a format of `FORMATS`.

    Args:
        given: A path, a folder, a pattern, results in memory, or a mapping of model names to any of these.
        name: The format.
        columns: Our name -> theirs, where the usual one is not meant; which fields that can be is the format's to say.
        scale: The (lowest, highest) quality that the results can hold, which becomes [0, 1].
        pool: What is known about the models. With prices, a call of known tokens and unknown cost costs what they say.

    Raises:
        DataError: Listing everything that is wrong, each with its file and its line, row or record.
        MissingExtraError: For parquet, without pyarrow.
    """
    layout = format_named(name)
    check_names(columns, layout.fields)
    problems = Problems()
    sources = list(sources_of(given, name, layout, dict(columns or {}), problems))
    if not any(len(source.table) for source in sources):
        problems.raise_if_any()
        raise DataError(f"{', '.join(source.table.source for source in sources)} has no rows.")
    parts = [typed(table, problems, filled=("text", "model"), scale=scale) for table in layout.outcomes(sources)]
    rows = joined(parts)
    known = pool if pool is not None else _told(given, layout, rows)
    if known is not None:
        rows = charged(rows, known)
    read = assembled(rows, QueryTable.of(rows, problems), problems, embeddings=None, pool=known)
    return _noted(read, layout)


def _told(given: Any, layout: Format, rows: Rows) -> ModelPool | None:
    """Return what the files beside the outcomes tell of the models in them; nothing is known of the others."""
    told = layout.pool(Path(given)) if isinstance(given, str | Path) else None
    models = {model for model in rows.texts["model"] if model is not None}
    return None if told is None else ModelPool(told.get(name, name) for name in models)


def _noted(dataset: RoutingDataset, layout: Format) -> RoutingDataset:
    if layout.note is None:
        return dataset
    _log.warning("%s", layout.note)
    return replace(dataset, notes=(*dataset.notes, layout.note))
