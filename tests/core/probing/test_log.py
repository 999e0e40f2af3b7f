"""The log: append-only, readable after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.errors import DataError
from pointsman.probing import Attempt, Cell, Scored, read_log
from pointsman.probing.log import Log

ATTEMPT = Attempt(
    query_id="q", model="m", run=1, called="m", purpose="answer", request="h", answer="four\n✓", cost_usd=0.1, at=1.5
)
SCORED = Scored(query_id="q", model="m", run=1, scorer="exact", quality=0.5, note="n")


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    """Entries come back equal and in order, each on a line of its own, also over several openings."""
    path = tmp_path / "deep" / "log.jsonl"
    for entry in (ATTEMPT, SCORED):
        with Log(path) as log:
            log.append(entry)
    assert list(read_log(path)) == [ATTEMPT, SCORED]
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    assert ATTEMPT.cell == SCORED.cell == Cell("q", "m", 1)


def test_an_entry_is_on_disk_before_the_log_is_closed(tmp_path: Path) -> None:
    """A crash right after a call loses nothing."""
    with Log(tmp_path / "log.jsonl") as log:
        log.append(ATTEMPT)
        assert list(read_log(tmp_path / "log.jsonl")) == [ATTEMPT]


@pytest.mark.parametrize("torn", [b'{"entry": "att', b"\xe2\x9c", b"{}"])
def test_a_torn_last_line_is_tolerated_and_removed(
    tmp_path: Path, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Readers pass it over; the next writer removes it, says so, and goes on behind the last whole line."""
    path = tmp_path / "log.jsonl"
    with Log(path) as log:
        log.append(ATTEMPT)
    with path.open("ab") as file:
        file.write(torn)
    assert list(read_log(path)) == [ATTEMPT]
    with Log(path) as log:
        log.append(SCORED)
    assert list(read_log(path)) == [ATTEMPT, SCORED]
    assert "removing a last line that was torn" in caplog.text


@pytest.mark.parametrize("line", ["{", "3", '{"entry": "poem"}', '{"entry": "score"}', '{"entry": "score", "x": 1}'])
def test_any_other_malformed_line_is_an_error(tmp_path: Path, line: str) -> None:
    """A file that is no log is not taken for one."""
    path = tmp_path / "log.jsonl"
    path.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1 is no entry of a collection's log"):
        list(read_log(path))


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    """A first run has no past."""
    assert list(read_log(tmp_path / "absent.jsonl")) == []


def test_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    """Forgetting to open it is an error, not a loss."""
    with pytest.raises(ValueError, match="is not open"):
        Log(tmp_path / "log.jsonl").append(ATTEMPT)
