"""RoutingDataset: what every candidate model scored and cost on every query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.queries import Queries
from pointsman.errors import DataError, choices
from pointsman.models import ModelPool

__all__ = ["RoutingDataset", "column_means"]

Matrix = NDArray[np.float64]
_MATRICES = (
    *(
        "quality",
        "cost_usd",
        "input_tokens",
        "output_tokens",
        "latency_s",
        "answers",
        "responses",
        "runs",
        "run_variance",
    ),
    *("samples", "sample_quality"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class RoutingDataset:
    """Outcomes of m models on n queries; NaN marks a cell that was not observed.

    Parameters:
        queries: The n queries.
        models: The m model names.
        quality: Scores in [0, 1], shape (n, m): the mean where a cell was run several times.
        cost_usd: US dollars of one call, shape (n, m).
        input_tokens, output_tokens, latency_s: Shape (n, m), or None where nobody recorded them.
        answers: The models' final answers as text, shape (n, m) of objects; None is no answer.
        responses: All that the models wrote, shape (n, m) of objects; None where nobody kept it.
        runs: How often each cell was run, shape (n, m); None means once each.
        run_variance: Unbiased variance of quality between runs of one cell, NaN where there was one run.
        samples: Final answers of up to k further runs of each cell, shape (n, m, k) of objects; None is no answer, or no run.
        sample_quality: Their scores, shape (n, m, k), NaN where unknown.
        groups: Rows of one group must not be torn apart by a split, shape (n,); by default rows of equal text.
        pool: What is known about the models; by default their names.
        notes: What everybody must know who uses the data, such as rules that ban learning from it.

    Raises:
        DataError: On a wrong shape, a quality outside [0, 1], a negative cost, or repeated model names.
    """

    queries: Queries
    models: tuple[str, ...]
    quality: Matrix
    cost_usd: Matrix
    input_tokens: Matrix | None = None
    output_tokens: Matrix | None = None
    latency_s: Matrix | None = None
    answers: NDArray[np.object_] | None = None
    responses: NDArray[np.object_] | None = None
    runs: NDArray[np.int64] | None = None
    run_variance: Matrix | None = None
    samples: NDArray[np.object_] | None = None
    sample_quality: NDArray[np.float64] | None = None
    groups: NDArray[np.int64] | None = None
    pool: ModelPool | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.queries), len(self.models))
        if len(set(self.models)) < shape[1] or not self.models:
            raise DataError(f"A dataset needs distinct model names, at least one; got {choices(self.models)}.")
        for name, matrix in self._matrices().items():
            if matrix.shape[:2] != shape or matrix.ndim != (3 if name.startswith("sample") else 2):
                raise DataError(
                    f"{name} has shape {matrix.shape}; {shape[0]} queries × {shape[1]} models need {shape}."
                )
        if self.groups is not None and self.groups.shape != shape[:1]:
            raise DataError(f"groups has shape {self.groups.shape}; {shape[0]} queries need {shape[:1]}.")
        if (
            self.samples is not None
            and self.sample_quality is not None
            and self.samples.shape != self.sample_quality.shape
        ):
            raise DataError(f"samples has shape {self.samples.shape}, sample_quality {self.sample_quality.shape}.")
        bounds = {"quality": 1.0, "sample_quality": 1.0, "cost_usd": np.inf, "latency_s": np.inf}
        for name, high in bounds.items():
            matrix = getattr(self, name)
            if matrix is not None and (wrong := (matrix < 0) | (matrix > high) | np.isinf(matrix)).any():
                place = tuple(np.argwhere(wrong)[0])
                cell = f"query {self.queries.ids[place[0]]!r}, model {self.models[place[1]]!r}"
                raise DataError(f"{name} must be in [0, {high:g}]; {cell} has {matrix[place]:g}.")
        if self.pool is None:
            object.__setattr__(self, "pool", ModelPool(self.models))
        elif lacking := set(self.models) - set(self.pool):
            raise DataError(f"The pool does not describe {choices(lacking)}; it has {choices(self.pool)}.")

    def _matrices(self) -> dict[str, NDArray[Any]]:
        return {name: matrix for name in _MATRICES if (matrix := getattr(self, name)) is not None}

    @classmethod
    def from_arrays(
        cls,
        texts: Sequence[str],
        quality: Mapping[str, Sequence[float]],
        cost_usd: Mapping[str, Sequence[float]] | None = None,
        *,
        ids: Sequence[str] | None = None,
        domains: Sequence[str | None] | None = None,
        embeddings: NDArray[Any] | None = None,
        pool: ModelPool | None = None,
    ) -> Self:
        """Make a dataset in memory: one column of quality, and of cost where known, per model.

        >>> data = RoutingDataset.from_arrays(["2+2?", "Prove it."], {"small": [1, 0], "large": [1, 1]})
        >>> data.best_single
        'large'
        """
        if cost_usd is not None and set(cost_usd) != set(quality):
            raise DataError(f"cost_usd has models {choices(cost_usd)}, quality has {choices(quality)}.")
        names = tuple(sorted(quality))
        columns = [np.asarray(quality[name], dtype=np.float64) for name in names]
        scores = np.column_stack(columns) if columns else np.empty((len(texts), 0))
        costs = np.full(scores.shape, np.nan)
        if cost_usd is not None:
            costs = np.column_stack([np.asarray(cost_usd[name], dtype=np.float64) for name in names])
        queries = Queries.from_texts(texts, ids=ids, domains=domains, embeddings=embeddings)
        return cls(queries=queries, models=names, quality=scores, cost_usd=costs, pool=pool)

    @staticmethod
    def read(
        path: str | Path,
        *,
        columns: Mapping[str, str] | None = None,
        scale: tuple[float, float] | None = None,
        pool: ModelPool | None = None,
        embeddings: str | None = None,
        format: str | None = None,  # noqa: A002 - what everybody calls it
    ) -> RoutingDataset:
        """Read outcomes from files: `.csv`, `.jsonl` or `.parquet` in the long form, or a folder of parquet tables.

        The long form has a row per query and model (and run), with the columns of `pointsman.data.readers.FIELDS`; text,
        model and quality are required. Rows of one cell are its repeated runs: their mean counts. A folder holds
        `queries.parquet` (query_id, text, ...), `outcomes.parquet` (query_id, model, quality, ...) and perhaps one `.npy`
        of embeddings in the order of the queries. Columns nobody knows are named in the log.

        Args:
            path: A file, a folder, or a pattern such as "runs/*.csv" whose files belong together.
            columns: Our name -> the name that the files use, where they differ.
            scale: The (lowest, highest) quality that the files can hold, which becomes [0, 1].
            pool: What is known about the models.
            embeddings: Which `.npy` of the folder to take, where there are several.
            format: Another form than the long one, of `pointsman.data.formats.FORMATS`; each module there says what
                it reads, and which of `columns` it knows. Files of one model each are named for it, as in "runs/*.csv";
                `from_results` takes them by model.

        Raises:
            DataError: Listing everything that is wrong, each with its file and line.
            MissingExtraError: For parquet, without pyarrow.
        """
        if format is not None:
            from pointsman.data.formats import read_format

            if embeddings is not None:
                raise DataError(f"The format {format!r} has no embeddings; got embeddings={embeddings!r}.")
            return read_format(path, format, columns=columns, scale=scale, pool=pool)
        from pointsman.data.readers.reading import read

        return read(path, columns=columns, scale=scale, pool=pool, embeddings=embeddings)

    @staticmethod
    def from_rows(
        rows: Sequence[Mapping[str, Any]],
        *,
        columns: Mapping[str, str] | None = None,
        scale: tuple[float, float] | None = None,
        pool: ModelPool | None = None,
    ) -> RoutingDataset:
        """Make a dataset of rows in memory, such as a log's, in the long form that `read` describes.

        >>> log = [{"text": "2+2?", "model": "small", "score": 4}, {"text": "2+2?", "model": "large", "score": 5}]
        >>> RoutingDataset.from_rows(log, columns={"quality": "score"}, scale=(1, 5)).quality
        array([[1.  , 0.75]])
        """
        from pointsman.data.readers.reading import from_rows

        return from_rows(rows, columns=columns, scale=scale, pool=pool)

    @staticmethod
    def from_results(
        results: Any,
        *,
        format: str,  # noqa: A002 - what everybody calls it
        columns: Mapping[str, str] | None = None,
        scale: tuple[float, float] | None = None,
        pool: ModelPool | None = None,
    ) -> RoutingDataset:
        """Make a dataset of what evaluation tools return, or of files by model, in a format that `read` knows.

        `results` is a data frame, a sequence of records or the tool's own object, or a mapping of model names to these or
        to paths. Results that do not say who answered, as those of ragas, DSPy and LlamaIndex, need the mapping.

        >>> small = [{"user_input": "2+2?", "response": "5", "correctness": 0.0}]
        >>> large = [{"user_input": "2+2?", "response": "4", "correctness": 1.0}]
        >>> RoutingDataset.from_results({"small": small, "large": large}, format="ragas").best_single
        'large'
        """
        from pointsman.data.formats import read_format

        return read_format(results, format, columns=columns, scale=scale, pool=pool)

    def write(self, path: str | Path) -> Path:
        """Write the outcomes to `.csv`, `.jsonl` or `.parquet`, or without suffix to a folder, and return the path.

        `read` gives the same dataset back, except that a single file holds no embeddings, that CSV knows no difference
        between an empty answer and none, and that neither the pool nor the notes are part of the outcomes.
        """
        from pointsman.data.readers.writing import write

        return write(self, path)

    def __len__(self) -> int:
        return len(self.queries)

    def __repr__(self) -> str:
        notes = "".join(f"; {note}" for note in self.notes)
        return f"RoutingDataset({len(self)} queries × {len(self.models)} models{notes})"

    @cached_property
    def group_of(self) -> NDArray[np.int64]:
        """The group of each row, numbered from 0: by first appearance, or in the order of the groups that were given."""
        if self.groups is not None:
            return np.unique(self.groups, return_inverse=True)[1].astype(np.int64)
        seen: dict[str, int] = {}
        return np.array([seen.setdefault(text, len(seen)) for text in self.queries.texts], dtype=np.int64)

    @cached_property
    def mean_quality(self) -> Matrix:
        """Each model's mean quality where it was observed, shape (m,); NaN if never."""
        return column_means(self.quality)

    @cached_property
    def mean_cost_usd(self) -> Matrix:
        """Each model's mean cost where known, shape (m,); NaN if never."""
        return column_means(self.cost_usd)

    @property
    def best_single(self) -> str:
        """The model of highest mean quality; ties go to the cheapest, then to the first in the alphabet."""
        quality, cost = np.nan_to_num(self.mean_quality, nan=-1), np.nan_to_num(self.mean_cost_usd, nan=np.inf)
        return min(zip(-quality, cost, self.models, strict=True))[2]

    @property
    def cheapest(self) -> str:
        """The model of lowest mean cost; ties go to the better one, then to the first in the alphabet."""
        quality, cost = np.nan_to_num(self.mean_quality, nan=-1), np.nan_to_num(self.mean_cost_usd, nan=np.inf)
        return min(zip(cost, -quality, self.models, strict=True))[2]

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Self:
        """Return the rows at these positions, in this order; groups stay what they are here."""
        rows = np.asarray(rows, dtype=np.intp)
        changed: dict[str, Any] = {name: matrix[rows] for name, matrix in self._matrices().items()}
        return replace(self, queries=self.queries.take(rows), groups=self.group_of[rows], **changed)

    def only(self, models: Sequence[str]) -> Self:
        """Return the columns of these models, in this order; unknown names raise DataError."""
        if unknown := set(models) - set(self.models):
            raise DataError(f"The dataset has no model {choices(unknown)}; it has {choices(self.models)}.")
        columns = [self.models.index(name) for name in models]
        changed: dict[str, Any] = {name: matrix[:, columns] for name, matrix in self._matrices().items()}
        pool = self.pool.restrict(models) if self.pool is not None else None
        return replace(self, models=tuple(models), pool=pool, **changed)

    def canonical(self) -> Self:
        """Return the same data in an order of its own: models by name, rows by content, groups by first appearance.

        Fitting on this makes the order of the input irrelevant to the last bit.
        """
        named = self.only(tuple(sorted(self.models)))
        keys = list(zip(self.queries.texts, self.queries.ids, (row.tobytes() for row in named.quality), strict=True))
        times = Counter(keys)
        # What else a row holds is costly to compare, and matters only where the keys are the same.
        ordered = named.take(
            sorted(range(len(self)), key=lambda i: (keys[i], named._rest(i) if times[keys[i]] > 1 else ()))  # noqa: SLF001
        )
        seen: dict[int, int] = {}
        numbers = [seen.setdefault(label, len(seen)) for label in ordered.group_of.tolist()]
        return replace(ordered, groups=np.array(numbers, dtype=np.int64))

    def _rest(self, row: int) -> tuple[str | bytes | int, ...]:
        """Return what a row holds besides text, id and quality, comparable with other rows of the same dataset."""
        queries, matrices = self.queries, self._matrices()
        found = (repr(m[row].tolist()) if m.dtype == object else m[row].tobytes() for m in matrices.values())
        vector = b"" if queries.embeddings is None else queries.embeddings[row].tobytes()
        # Labels of groups that were not given follow the order of the rows, but there equal texts are one group.
        group = int(self.group_of[row]) if self.groups is not None else 0
        return (repr(queries.domains[row]), *found, vector, group)


def column_means(matrix: Matrix) -> Matrix:
    """Return the mean of what is known in each column of (n, m), shape (m,); NaN where nothing is."""
    known = np.isfinite(matrix)
    count = known.sum(0)
    total = np.where(known, matrix, 0.0).sum(0)
    means: Matrix = np.divide(total, count, out=np.full(matrix.shape[1], np.nan), where=count > 0)
    return means
