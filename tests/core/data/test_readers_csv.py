"""CSV in the long form."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.data.text_id import text_id
from pointsman.errors import DataError


def write(path: Path, text: str) -> Path:
    """Write text as it is, line ends included."""
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_a_table_becomes_matrices_with_models_in_alphabetical_order(tmp_path: Path) -> None:
    """Rows by first appearance of the query, columns by model name, NaN where no row speaks of a cell."""
    path = write(
        tmp_path / "a.csv", "query_id,text,model,quality,cost_usd\nb,Why?,z,0.5,2e-3\na,2+2?,y,1,\nb,Why?,y,0,0\n"
    )
    data = RoutingDataset.read(path)
    assert data.queries.ids == ("b", "a")
    assert data.queries.texts == ("Why?", "2+2?")
    assert data.models == ("y", "z")
    np.testing.assert_array_equal(data.quality, [[0, 0.5], [1, np.nan]])
    np.testing.assert_array_equal(data.cost_usd, [[0, 2e-3], [np.nan, np.nan]])
    assert data.output_tokens is data.latency_s is data.answers is data.runs is None


def test_everything_known_of_a_cell_and_of_a_query_is_kept(tmp_path: Path) -> None:
    """Tokens, latency, answer, domain and group arrive where they belong."""
    path = write(
        tmp_path / "a.csv",
        "text,model,quality,input_tokens,output_tokens,latency_s,answer,domain,group\n"
        "2+2?,m,1,4,1,0.25,four,maths,g\nWhy?,m,0,,7,,,,\n3+3?,m,1,4,,,six,maths,g\n",
    )
    data = RoutingDataset.read(path)
    assert data.queries.domains == ("maths", None, "maths")
    assert data.answers is not None
    assert data.answers[:, 0].tolist() == ["four", None, "six"]
    np.testing.assert_array_equal(data.input_tokens, [[4], [np.nan], [4]])
    np.testing.assert_array_equal(data.output_tokens, [[1], [7], [np.nan]])
    np.testing.assert_array_equal(data.latency_s, [[0.25], [np.nan], [np.nan]])
    assert data.group_of.tolist() == [0, 1, 0]


def test_a_query_without_an_identifier_is_known_by_its_text(tmp_path: Path) -> None:
    """Rows of equal text belong to one query, whose identifier is the same in every file."""
    path = write(tmp_path / "a.csv", "text,model,quality\n2+2?,m,1\n2+2?,n,0\n")
    assert RoutingDataset.read(path).queries.ids == (text_id("2+2?"),)


def test_own_names_are_mapped(tmp_path: Path) -> None:
    """One column may serve two fields; the rest are found under the users' names."""
    path = write(tmp_path / "a.csv", "prompt,llm,score\nhi,m,1\n")
    names = {"query_id": "prompt", "text": "prompt", "model": "llm", "quality": "score"}
    data = RoutingDataset.read(path, columns=names)
    assert data.queries.ids == data.queries.texts == ("hi",)


def test_unknown_columns_are_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A column nobody reads is not dropped in silence."""
    RoutingDataset.read(write(tmp_path / "a.csv", "text,model,quality,mood\nhi,m,1,good\n"))
    assert "ignoring unknown columns 'mood'" in caplog.text


def test_quoted_fields_may_hold_anything_and_lines_are_still_counted(tmp_path: Path) -> None:
    """Line breaks, commas and quotes in a text survive, and a problem names the line its row begins on."""
    text = 'a, "b"\nc\r\nd'
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text", "model", "quality"], [text, "m", "1"], ["x", "m", "nope"]])
    with pytest.raises(DataError, match="line 5: quality"):
        RoutingDataset.read(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_bytes((tmp_path / "a.csv").read_bytes().replace(b"nope", b"0"))
    assert RoutingDataset.read(tmp_path / "a.csv").queries.texts == (text, "x")


def test_a_spreadsheets_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    """Files saved by spreadsheets are read."""
    path = write(tmp_path / "a.csv", "\ufefftext,model,quality\nhi,m,TRUE\n")
    assert RoutingDataset.read(path).quality[0, 0] == 1


def test_long_texts_are_read_without_touching_the_modules_limit(tmp_path: Path) -> None:
    """A text longer than the csv module's limit is read, and the limit is what it was."""
    limit = csv.field_size_limit()
    long = "x" * (limit + 1)
    data = RoutingDataset.read(write(tmp_path / "a.csv", f"text,model,quality\n{long},m,1\n"))
    assert data.queries.texts == (long,)
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must begin with a header"),
        (b"text,text,model,quality\n", "distinct column names"),
        (b"text,model\nhi,m\n", "has no column 'quality'; it has 'model', 'text'"),
        (b"text,model,quality\n", "has no rows"),
        (b"text,model,quality\n\xff,m,1\n", "is not UTF-8"),
        (b'text,model,quality\n"hi,m,1\n', "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """The error says what the file lacks."""
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        RoutingDataset.read(tmp_path / "a.csv")


def test_a_mapping_to_an_unknown_field_lists_the_fields(tmp_path: Path) -> None:
    """A slip in `columns` is caught before anything is read wrongly."""
    path = write(tmp_path / "a.csv", "text,model,quality\nhi,m,1\n")
    with pytest.raises(DataError, match=r"unknown field 'qualty'; known are .*'quality'"):
        RoutingDataset.read(path, columns={"qualty": "quality"})
    with pytest.raises(DataError, match=r"no column 'score'.*columns=\{'quality': '...'\}"):
        RoutingDataset.read(path, columns={"quality": "score"})
