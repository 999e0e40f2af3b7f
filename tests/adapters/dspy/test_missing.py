"""Without DSPy, importing its adapter says in one sentence what to install."""

from __future__ import annotations

import subprocess
import sys

IMPORT = """
import sys
sys.modules["dspy"] = None
from pointsman.errors import MissingExtraError
try:
    import dspy_router
except MissingExtraError as error:
    assert isinstance(error, ImportError)
    print(error)
"""


def test_the_missing_extra_is_named() -> None:
    """The error is an ImportError that names the extra, wherever DSPy cannot be imported."""
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == 'dspy, which dspy_router is for, is not installed; run: pip install "pointsman[dspy]"'
