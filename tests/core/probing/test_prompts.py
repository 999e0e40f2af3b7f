"""Prompts from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.data.text_id import text_id
from pointsman.errors import DataError
from pointsman.probing import Prompt, read_prompts


def test_json_lines_may_hold_several_references(tmp_path: Path) -> None:
    """A list of good answers, one, or none; numbers count as text; what is left out is unknown."""
    rows: list[dict[str, Any]] = [
        {"id": 7, "text": "Capital of France?", "reference": ["Paris", "Paris, France"], "domain": "geo", "group": "g"},
        {"text": "2+2?", "reference": 4},
        {"text": "Why?", "reference": None, "mood": "odd"},
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert read_prompts(tmp_path / "p.jsonl") == (
        Prompt(id="7", text="Capital of France?", references=("Paris", "Paris, France"), domain="geo", group="g"),
        Prompt(text="2+2?", references=("4",)),
        Prompt(text="Why?"),
    )


def test_tables_may_use_their_own_names(tmp_path: Path) -> None:
    """A mapping says which column is which; an empty field is nothing."""
    (tmp_path / "p.csv").write_text("question,gold\n2+2?,4\nWhy?,\n", encoding="utf-8")
    found = read_prompts(tmp_path / "p.csv", columns={"text": "question", "reference": "gold"})
    assert found == (Prompt(text="2+2?", references=("4",)), Prompt(text="Why?"))


def test_parquet_columns_may_be_numbers(tmp_path: Path) -> None:
    """Whole numbers become text as Python writes them."""
    pa = pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    pq = pytest.importorskip("pyarrow.parquet", reason="parquet needs the extra 'data'")
    pq.write_table(pa.table({"id": [1], "text": ["2+2?"], "reference": [4]}), tmp_path / "p.parquet")
    assert read_prompts(tmp_path / "p.parquet") == (Prompt(id="1", text="2+2?", references=("4",)),)


def test_a_text_file_has_a_prompt_on_every_line(tmp_path: Path) -> None:
    """Blank lines are nothing, and the identifier is that of the text."""
    (tmp_path / "p.txt").write_text("\ufeff2+2?\n\n  Why?  \n", encoding="utf-8")
    found = read_prompts(tmp_path / "p.txt")
    assert [prompt.text for prompt in found] == ["2+2?", "Why?"]
    assert found[0].id == text_id("2+2?") == found[0].query.id


def test_all_problems_come_at_once_with_their_lines(tmp_path: Path) -> None:
    """Missing texts, repeated prompts and values of the wrong kind."""
    rows: list[Any] = [
        {"id": "a", "text": "x"},
        {"id": "a", "text": "y"},
        {"text": " "},
        {"text": ["z"]},
        3,
        {"text": "w", "reference": [""]},
        {"text": "v", "reference": {"a": 1}},
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_prompts(tmp_path / "p.jsonl")
    told = "\n".join(caught.value.problems).replace(f"{tmp_path}/p.jsonl, ", "")
    assert told == (
        "line 2: prompt 'a' repeats line 1\n"
        "line 3: A prompt needs a text.\n"
        "line 4: text must be text, is ['z']\n"
        "line 5: must be a JSON object, is 3\n"
        "line 6: A reference must not be blank.\n"
        "line 7: reference must be text, is {'a': 1}"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.xml", b"", r"must end in '.csv', '.jsonl', '.parquet', '.txt'"),
        ("p.txt", b"\n", "holds no prompts"),
        ("p.txt", b"\xff", "is not UTF-8"),
        ("p.csv", b"question\n2+2?\n", "has no column 'text'; it has 'question'"),
    ],
)
def test_a_file_without_prompts_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """The error says what the file lacks."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_prompts(tmp_path / name)


def test_a_file_that_is_not_there_is_named() -> None:
    """No file, no prompts."""
    with pytest.raises(DataError, match=r"There is no file absent\.csv"):
        read_prompts("absent.csv")


def test_a_mapping_to_an_unknown_field_lists_the_fields(tmp_path: Path) -> None:
    """A slip in `columns` is caught."""
    (tmp_path / "p.csv").write_text("text\nhi\n", encoding="utf-8")
    with pytest.raises(
        DataError, match="unknown field 'answer'; known are 'domain', 'group', 'id', 'reference', 'text'"
    ):
        read_prompts(tmp_path / "p.csv", columns={"answer": "gold"})
