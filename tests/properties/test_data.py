"""Properties of datasets, their files and their splits that hold for any data."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pointsman.data import Queries, RoutingDataset
from pointsman.data.splits import folds, grouped_split

MATRICES = ("quality", "cost_usd", "input_tokens", "output_tokens", "latency_s", "runs", "run_variance")

texts = st.text(min_size=1, max_size=12).filter(str.strip)
names = st.lists(texts, min_size=1, max_size=4, unique=True).map(sorted)


def matrix(shape: tuple[int, int], high: float) -> st.SearchStrategy[Any]:
    """Draw known and unknown numbers of this shape."""
    cells = st.floats(0, high, allow_nan=False) | st.just(float("nan"))
    return arrays(np.float64, shape, elements=cells)


@st.composite
def datasets(draw: st.DrawFn) -> RoutingDataset:
    """Draw a dataset of any shape, with any of its optional parts, as observation could have made it."""
    questions = draw(st.lists(texts, min_size=1, max_size=6))
    models = tuple(draw(names))
    shape = (len(questions), len(models))
    ids = draw(st.lists(texts, min_size=shape[0], max_size=shape[0], unique=True))
    domains = draw(st.lists(st.none() | texts, min_size=shape[0], max_size=shape[0]))
    optional = {name: draw(st.none() | matrix(shape, 1e6)) for name in ("input_tokens", "output_tokens", "latency_s")}
    known: dict[str, Any] = {name: None if m is None or np.isnan(m).all() else m for name, m in optional.items()}
    known["quality"] = draw(matrix(shape, 1))
    known["cost_usd"] = draw(matrix(shape, 1e3))
    runs = draw(st.none() | arrays(np.int64, shape, elements=st.integers(1, 9)))
    if runs is not None:
        runs = np.where(np.isnan(known["quality"]), 0, runs)
        if (runs > 1).any():
            variance = draw(matrix(shape, 0.5))
            known |= {"runs": runs, "run_variance": np.where(runs > 1, variance, np.nan)}
    answers = draw(st.none() | arrays(object, shape, elements=st.none() | texts))
    if answers is not None and (answers != None).any():  # noqa: E711 - elementwise on objects
        known["answers"] = answers
    groups = draw(st.none() | arrays(np.int64, shape[0], elements=st.integers(0, 3)))
    vectors = draw(st.none() | matrix((shape[0], 2), 1))
    queries = Queries.from_texts(questions, ids=ids, domains=domains, embeddings=vectors)
    return RoutingDataset(queries=queries, models=models, groups=groups, **known)


def assert_same(left: RoutingDataset, right: RoutingDataset) -> None:
    """Compare everything but embeddings and pool, to the last bit."""
    assert left.models == right.models
    assert left.queries.texts == right.queries.texts
    assert left.queries.ids == right.queries.ids
    assert left.queries.domains == right.queries.domains
    for name in (*MATRICES, "answers"):
        ours, theirs = getattr(left, name), getattr(right, name)
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
    together = left.group_of[:, None] == left.group_of, right.group_of[:, None] == right.group_of
    np.testing.assert_array_equal(*together)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "folder"])
@settings(max_examples=60, deadline=None)
@given(data=datasets())
def test_writing_and_reading_are_inverse(name: str, data: RoutingDataset) -> None:
    """Whatever was observed, a file gives it back exactly, in every format."""
    if not name.endswith(("csv", "jsonl")):
        pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    with TemporaryDirectory() as folder:
        again = RoutingDataset.read(data.write(Path(folder) / name))
    assert_same(data, again)
    if name == "folder" and data.queries.embeddings is not None:
        np.testing.assert_array_equal(again.queries.embeddings, data.queries.embeddings)


rows = st.fixed_dictionaries(
    {
        "text": st.sampled_from("abc"),
        "model": st.sampled_from("mn"),
        "quality": st.none() | st.floats(0, 1),
        "cost_usd": st.none() | st.floats(0, 1),
        "runs": st.none() | st.integers(1, 4),
    }
)


@settings(deadline=None)
@given(log=st.lists(rows, min_size=1, max_size=20), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(log: list[dict[str, Any]], seed: int) -> None:
    """Repeated runs pool to the same bits in any order."""
    mixed = random.Random(seed).sample(log, len(log))  # noqa: S311 - no secret
    assert_same(RoutingDataset.from_rows(log).canonical(), RoutingDataset.from_rows(mixed).canonical())


@settings(deadline=None)
@given(log=st.lists(rows, min_size=1, max_size=20))
def test_pooled_runs_stay_between_their_extremes(log: list[dict[str, Any]]) -> None:
    """A mean lies between the least and the greatest of its runs, and the runs are counted."""
    data = RoutingDataset.from_rows(log)
    for i, text in enumerate(data.queries.texts):
        for j, model in enumerate(data.models):
            cell = [r for r in log if (r["text"], r["model"]) == (text, model) and r["quality"] is not None]
            found = data.quality[i, j]
            if not cell:
                assert np.isnan(found)
                continue
            assert min(r["quality"] for r in cell) <= found <= max(r["quality"] for r in cell)
            count = 1 if data.runs is None else data.runs[i, j]
            assert count == sum(r["runs"] or 1 for r in cell)


@settings(deadline=None)
@given(questions=st.lists(st.sampled_from("abcdefghijkl"), min_size=30, max_size=60), seed=st.integers(0, 2**32 - 1))
def test_a_split_uses_every_row_once_and_tears_no_group(questions: list[str], seed: int) -> None:
    """No text of one part is met in another, and the parts together are the whole."""
    data = RoutingDataset.from_arrays(questions, {"m": [0.5] * len(questions)})
    if len(set(questions)) < 5:
        return
    parts = grouped_split(data, random_state=seed)
    assert sorted(row for part in parts for row in map(int, part.queries.ids)) == list(range(len(questions)))
    met = [set(part.queries.texts) for part in parts]
    assert sum(map(len, met)) == len(set.union(*met))


@settings(deadline=None)
@given(
    questions=st.lists(st.sampled_from("abcdefghijkl"), min_size=20, max_size=60),
    k=st.integers(2, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_folds_hold_out_every_row_once_and_tear_no_group(questions: list[str], k: int, seed: int) -> None:
    """Training and held-out rows share no text; every row is held out in one fold."""
    data = RoutingDataset.from_arrays(questions, {"m": [0.5] * len(questions)})
    if len(set(questions)) < k:
        return
    held_out: list[int] = []
    for training, held in folds(data, k, random_state=seed):
        assert not {questions[i] for i in training} & {questions[i] for i in held}
        assert sorted([*training, *held]) == list(range(len(questions)))
        held_out += held.tolist()
    assert sorted(held_out) == list(range(len(questions)))
