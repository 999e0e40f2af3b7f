"""What is wrong with a file is said all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.data import RoutingDataset
from pointsman.data.readers.problems import LISTED
from pointsman.errors import DataError

BROKEN = """query_id,text,model,quality,cost_usd,run
a,hi,m,0.5,0.1,1
a,hi,m,0.7,0.1,1
a,ho,n,abc,-1,
,,n,1.5,,
b,yo,,1,inf,
b,yo,n
"""


def problems(path: Path) -> list[str]:
    """Return what is wrong with a file, without its name."""
    with pytest.raises(DataError) as caught:
        RoutingDataset.read(path)
    return [problem.replace(f"{path}, ", "") for problem in caught.value.problems]


def test_every_problem_is_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Malformed values, contradictions between rows and torn rows come in one error, each with its line."""
    (tmp_path / "a.csv").write_text(BROKEN, encoding="utf-8")
    assert problems(tmp_path / "a.csv") == [
        "line 3: run '1' repeats line 2",
        "line 4: cost_usd must be a number, at least 0 and finite, is '-1'",
        "line 4: quality must be a number in [0, 1], is 'abc'",
        "line 4: text of query 'a' is 'ho', but 'hi' at line 2",
        "line 5: quality must be a number in [0, 1], is '1.5'",
        "line 5: text is empty",
        "line 6: cost_usd must be a number, at least 0 and finite, is 'inf'",
        "line 6: model is empty",
        "line 7: 3 fields, but the header has 6",
    ]


def test_a_long_list_is_cut_and_the_rest_counted(tmp_path: Path) -> None:
    """The message stays readable however many rows are wrong, and says how many are."""
    rows = "".join(f"{i},m,{i + 2}\n" for i in range(LISTED + 7))
    (tmp_path / "a.csv").write_text("text,model,quality\n" + rows, encoding="utf-8")
    found = problems(tmp_path / "a.csv")
    assert len(found) == LISTED + 1
    assert found[-1] == "... and 7 more"


def test_long_values_are_cut(tmp_path: Path) -> None:
    """A wrong value of a thousand characters does not fill the screen."""
    (tmp_path / "a.csv").write_text(f"text,model,quality\nhi,m,{'9' * 1000}\n", encoding="utf-8")
    (problem,) = problems(tmp_path / "a.csv")
    assert len(problem) < 150
    assert problem.endswith("…")


@pytest.mark.parametrize("field", ["domain", "group"])
def test_rows_must_agree_on_their_query(tmp_path: Path, field: str) -> None:
    """What is said of a query in one row must not be denied in another; saying nothing denies nothing."""
    header = f"query_id,text,model,quality,{field}\n"
    (tmp_path / "a.csv").write_text(f"{header}a,hi,m,1,\na,hi,n,1,x\na,hi,o,1,\na,hi,p,1,y\n", encoding="utf-8")
    assert problems(tmp_path / "a.csv") == [f"line 5: {field} of query 'a' is 'y', but 'x' at line 3"]


def test_contradictions_between_files_name_both(tmp_path: Path) -> None:
    """The place of the earlier row is told too."""
    for name, text in (("1", "hi"), ("2", "ho")):
        (tmp_path / f"{name}.csv").write_text(f"query_id,text,model,quality\na,{text},m,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"2\.csv, line 2: text of query 'a' is 'ho', but 'hi' at .*1\.csv, line 2"):
        RoutingDataset.read(f"{tmp_path}/*.csv")
