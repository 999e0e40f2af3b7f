"""What `write` writes, `read` reads; what nobody could read again is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pointsman.data import Queries, RoutingDataset
from pointsman.errors import DataError


def small() -> RoutingDataset:
    """Return two queries and two models, one cell unobserved."""
    return RoutingDataset.from_arrays(
        ["2+2?", "Why?"], {"large": [1, np.nan], "small": [0.1, 0.7]}, {"large": [0.3, np.nan], "small": [0, 1e-9]}
    )


def test_a_csv_is_the_long_form(tmp_path: Path) -> None:
    """A row per cell that holds anything, floats with every digit, unknown cells left out."""
    path = small().write(tmp_path / "a.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["text"], row["model"], row["quality"], row["cost_usd"]) for row in rows] == [
        ("2+2?", "large", "1.0", "0.3"),
        ("2+2?", "small", "0.1", "0.0"),
        ("Why?", "small", "0.7", "1e-09"),
    ]


def test_queries_and_models_that_nobody_scored_keep_a_row(tmp_path: Path) -> None:
    """Nothing of the dataset's shape is lost in a file."""
    nan = float("nan")
    data = RoutingDataset.from_arrays(["a", "b"], {"m": [1, nan], "n": [nan, nan]})
    again = RoutingDataset.read(data.write(tmp_path / "a.jsonl"))
    assert (again.models, again.queries.texts) == (("m", "n"), ("a", "b"))
    np.testing.assert_array_equal(again.quality, data.quality)


def test_embeddings_are_written_to_folders_and_missed_aloud_elsewhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder keeps them to the last bit; a single file says that it cannot."""
    pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    vectors = np.random.default_rng(0).normal(size=(2, 3))
    data = RoutingDataset.from_arrays(["a", "b"], {"m": [1, 0]}, embeddings=vectors)
    again = RoutingDataset.read(data.write(tmp_path / "folder")).queries.embeddings
    np.testing.assert_array_equal(again, vectors)
    data.write(tmp_path / "a.csv")
    assert "cannot hold embeddings" in caplog.text


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Writing again leaves the new data and nothing beside it."""
    small().write(tmp_path / "a.csv")
    small().only(["small"]).write(tmp_path / "a.csv")
    assert RoutingDataset.read(tmp_path / "a.csv").models == ("small",)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("ids", "texts", "message"),
    [
        (("a", "a"), ("x", "y"), "distinct identifiers to be written; repeated: 'a'"),
        (("a", ""), ("x", "y"), r"lacking in rows \[1\]"),
        (("a", "b"), (" ", "y"), r"lacking in rows \[0\]"),
        ((), (), "without queries"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, ids: tuple[str, ...], texts: tuple[str, ...], message: str
) -> None:
    """Repeated identifiers would be taken for repeated runs; blank names for mistakes."""
    queries = Queries(ids=ids, texts=texts, domains=(None,) * len(ids))
    cells = np.ones((len(ids), 1))
    data = RoutingDataset(queries=queries, models=("m",), quality=cells, cost_usd=cells)
    with pytest.raises(DataError, match=message):
        data.write(tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


def test_an_unknown_format_lists_the_choices(tmp_path: Path) -> None:
    """The suffix decides."""
    with pytest.raises(DataError, match=r"must end in '.csv', '.jsonl', '.parquet', or have no suffix"):
        small().write(tmp_path / "a.xlsx")
