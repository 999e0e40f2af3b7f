"""Provenance: which data, which split, which router and which version the figures are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from pointsman.data.dataset import RoutingDataset

__all__ = ["Provenance", "data_digest", "version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the figures come from.

    Parameters:
        source: What the data are called; None where nobody said.
        queries, groups, models: How many there are in all.
        data_digest: Hash of texts, models and outcomes, the same for any order of rows.
        parts: Queries in each part of the split.
        random_state: Seed of the split and of the resampling.
        draws: Bootstrap resamples behind the intervals.
        version: Of this package; None where it is not installed.
    """

    source: str | None
    queries: int
    groups: int
    models: int
    data_digest: str
    parts: Mapping[str, int]
    random_state: int
    draws: int
    version: str | None


def data_digest(data: RoutingDataset) -> str:
    """Return a hash of a dataset in canonical order: its texts, models, qualities and costs."""
    hashed = blake2b(digest_size=8)
    for text in (*data.models, *data.queries.texts):
        hashed.update(text.encode("utf-8", "surrogatepass") + b"\0")
    hashed.update(data.quality.tobytes() + data.cost_usd.tobytes())
    return hashed.hexdigest()


def version() -> str | None:
    """Return the installed version of this package."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("pointsman")
    except PackageNotFoundError:
        return None
