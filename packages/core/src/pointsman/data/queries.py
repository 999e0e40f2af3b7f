"""Queries in columns: what feature maps and estimators read, for one request or a hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from pointsman.data.statistics import plain_text, text_statistics
from pointsman.errors import DataError
from pointsman.types import Query

__all__ = ["Queries"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Queries(Sequence[Query]):
    """A sequence of queries whose columns are at hand as arrays.

    Parameters:
        texts: The questions, length n.
        ids: Their identifiers, length n.
        domains: What the caller says they are about, None where unsaid; length n.
        embeddings: Vectors computed elsewhere, shape (n, d), or None.
    """

    texts: tuple[str, ...]
    ids: tuple[str, ...]
    domains: tuple[str | None, ...]
    embeddings: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = len(self.texts)
        for name, column in (("ids", self.ids), ("domains", self.domains), ("embeddings", self.embeddings)):
            if column is not None and len(column) != n:
                raise DataError(f"Queries.{name} has {len(column)} rows, but there are {n} texts.")

    @classmethod
    def of(cls, queries: Sequence[Query] | Query | Queries) -> Queries:
        """Put queries into columns; embeddings are kept when every query has one of the same size."""
        if isinstance(queries, Queries):
            return queries
        if isinstance(queries, Query):
            vector = queries.embedding
            return cls(
                texts=(queries.text,),
                ids=(queries.id,),
                domains=(queries.domain,),
                embeddings=None if vector is None else np.asarray(vector, dtype=np.float64)[None, :],
            )
        vectors = [query.embedding for query in queries]
        known = [vector for vector in vectors if vector is not None]
        if known and len(known) < len(vectors):
            raise DataError(
                f"{len(vectors) - len(known)} of {len(vectors)} queries have no embedding; give all or none."
            )
        return cls(
            texts=tuple(query.text for query in queries),
            ids=tuple(query.id for query in queries),
            domains=tuple(query.domain for query in queries),
            embeddings=np.stack(known).astype(np.float64) if known else None,
        )

    @classmethod
    def from_texts(
        cls,
        texts: Sequence[str],
        *,
        ids: Sequence[str] | None = None,
        domains: Sequence[str | None] | None = None,
        embeddings: NDArray[Any] | None = None,
    ) -> Self:
        """Make queries from columns; ids default to "0", "1", ..."""
        return cls(
            texts=tuple(texts),
            ids=tuple(map(str, range(len(texts)))) if ids is None else tuple(ids),
            domains=(None,) * len(texts) if domains is None else tuple(domains),
            embeddings=None if embeddings is None else np.asarray(embeddings, dtype=np.float64),
        )

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """The questions with single spaces, length n."""
        return tuple(map(plain_text, self.texts))

    @cached_property
    def statistics(self) -> NDArray[np.float64]:
        """The `text_statistics` of the questions, shape (n, 6): counted once, whoever asks."""
        return text_statistics(self.texts, self.plain)

    def with_embeddings(self, embeddings: NDArray[np.float64]) -> Queries:
        """Return the same queries with other vectors, shape (n, d)."""
        return Queries(texts=self.texts, ids=self.ids, domains=self.domains, embeddings=embeddings)

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Self:
        """Return the queries at these rows."""
        rows = np.asarray(rows, dtype=np.intp)
        return type(self)(
            texts=tuple(self.texts[i] for i in rows),
            ids=tuple(self.ids[i] for i in rows),
            domains=tuple(self.domains[i] for i in rows),
            embeddings=None if self.embeddings is None else self.embeddings[rows],
        )

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> Query: ...
    @overload
    def __getitem__(self, index: slice) -> Queries: ...
    def __getitem__(self, index: int | slice) -> Query | Queries:
        if isinstance(index, slice):
            return self.take(range(*index.indices(len(self))))
        vector = None if self.embeddings is None else self.embeddings[index]
        return Query(text=self.texts[index], id=self.ids[index], domain=self.domains[index], embedding=vector)

    def __iter__(self) -> Iterator[Query]:
        return (self[i] for i in range(len(self)))
