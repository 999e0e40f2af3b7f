"""What all tests share: Hypothesis profiles, and the real outcome data where they are at hand."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# One thread: linear algebra on many cores fights over them when tests, or other work, run beside it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LANGSMITH_TRACING", "false")

# A shared or slow machine must not fail a property for its speed.
settings.register_profile("dev", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", max_examples=60, deadline=timedelta(seconds=20), derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def outcome_data() -> Path:
    """Return the folder of real outcome data; skip where there is none, or nothing that reads it."""
    pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    folder = Path(os.environ.get("POINTSMAN_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (folder / "mmlu_pro" / "outcomes.parquet").is_file():
        pytest.skip(f"no outcome data at {folder}; set POINTSMAN_DATA to the folder that holds mmlu_pro")
    return folder
