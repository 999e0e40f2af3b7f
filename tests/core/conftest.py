"""Where the tests of the core find real outcome data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def outcome_data() -> Path:
    """Return the folder of real outcome data; skip where there is none, or nothing that reads it."""
    pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    folder = Path(os.environ.get("POINTSMAN_DATA") or Path(__file__).parents[3] / "shared" / "data")
    if not (folder / "mmlu_pro" / "outcomes.parquet").is_file():
        pytest.skip(f"no outcome data at {folder}; set POINTSMAN_DATA to the folder that holds mmlu_pro")
    return folder
