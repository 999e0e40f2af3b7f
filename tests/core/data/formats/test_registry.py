"""What holds of all formats: their registry, their containers, and that rows may come in any order."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.data import RoutingDataset
from pointsman.data.formats import FORMATS, format_named
from pointsman.errors import ConfigError, DataError

SCORES = st.one_of(st.none(), st.floats(0, 1))
COSTS = st.one_of(st.none(), st.floats(0, 10))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_format_says_what_it_reads(name: str) -> None:
    """Every registered format can be had, is described in one line, and somebody can say who answered."""
    layout = format_named(name)
    assert FORMATS[name]
    assert layout.suffixes
    assert {"query_id", "text", "domain"} <= {*layout.fields}
    assert layout.names_models or layout.takes_models


def test_an_unknown_format_is_told_the_choices() -> None:
    """A slip in the name lists the names."""
    with pytest.raises(ConfigError, match=r"no format 'routerbnech'; known are 'arena', .*'sprout'"):
        RoutingDataset.read("a.csv", format="routerbnech")


def test_formats_are_imported_when_they_are_named() -> None:
    """Reading the long form imports no format, and no format imports what it reads the results of."""
    code = (
        "import sys, pointsman.data.formats as f; early = [m for m in sys.modules if m.startswith('pointsman.data.formats.')"
        "]; [f.format_named(n) for n in f.FORMATS]; print('pointsman.data.formats.ragas' in early,"
        " *({'dspy', 'ragas', 'langsmith', 'llama_index', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"[", "a.json is no valid JSON"),
        ("a.json", b"\xff", "a.json is not UTF-8"),
        ("a.json", b"{}", "a.json must hold a list of JSON objects, holds an object"),
        ("a.json", b"[1]", "a.json, record 0 must be a JSON object, is a number"),
        ("a.json", b"[]", "a.json has no rows"),
        ("a.txt", b"", r"a.txt must end in '.csv', '.json', '.jsonl', '.parquet' to be of the format 'arena'"),
        ("a.pickle", b"", "a.pickle is a pickle"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """The error names the file and what is wrong with it."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        RoutingDataset.read(tmp_path / name, format="arena")


def test_a_place_without_files_says_so(tmp_path: Path) -> None:
    """Neither an empty folder nor a missing file passes for empty data."""
    with pytest.raises(DataError, match=r"no file that ends in '.csv', '.parquet' in"):
        RoutingDataset.read(tmp_path, format="routerbench")
    with pytest.raises(DataError, match="There is no file or folder"):
        RoutingDataset.read(tmp_path / "a.csv", format="routerbench")
    with pytest.raises(DataError, match="has no embeddings"):
        RoutingDataset.read(tmp_path, format="routerbench", embeddings="minilm")


@given(
    cells=st.lists(st.tuples(SCORES, COSTS, SCORES, COSTS), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_a_dataset_laid_out_as_routerbench_comes_back(cells: list[tuple[float | None, ...]], order: object) -> None:
    """What a wide table says of every cell is what is read of it, in whatever order its rows stand."""
    rows = [
        {"sample_id": f"s{i}", "prompt": f"['Question {i}']", "eval_name": "e"}
        | {"small": a, "small|total_cost": b, "large": c, "large|total_cost": d}
        for i, (a, b, c, d) in enumerate(cells)
    ]
    logging.disable(logging.WARNING)
    try:
        data = RoutingDataset.from_results(rows, format="routerbench")
        getattr(order, "shuffle")(rows)  # noqa: B009 - typed as an object
        shuffled = RoutingDataset.from_results(rows, format="routerbench")
    finally:
        logging.disable(logging.NOTSET)
    wanted = np.array(cells, dtype=float)[:, [2, 0]], np.array(cells, dtype=float)[:, [3, 1]]
    np.testing.assert_array_equal(data.quality, wanted[0])
    np.testing.assert_array_equal(data.cost_usd, wanted[1])
    np.testing.assert_array_equal(data.canonical().quality, shuffled.canonical().quality)
    assert data.canonical().queries.ids == shuffled.canonical().queries.ids
