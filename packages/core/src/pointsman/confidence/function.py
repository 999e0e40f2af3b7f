"""FunctionVerifier: an answer checked by your own code, such as unit tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Self

from pointsman.confidence.base import Confidence
from pointsman.errors import DataError
from pointsman.flow import Plan
from pointsman.references import load
from pointsman.types import Context, Query, Response

__all__ = ["FunctionVerifier"]


class FunctionVerifier(Confidence):
    """What `function(query, response)` returns: a number in [0, 1], a bool, or None where it cannot tell.

    It runs inside the plan, so it has to be quick: whatever takes long or waits belongs behind a model's name, as a caller that
    `RubricJudge` asks. Its errors propagate.

    Parameters:
        function: As "module:name".

    Raises:
        ConfigError: When the reference names nothing that can be called.
        DataError: When it returns anything else.
    """

    function: str

    def __post_init__(self) -> None:
        """Load the function too."""
        super().__post_init__()
        _ = self._loaded

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that likes long answers."""
        return (cls(function="pointsman.testing.toys:looks_finished"),)

    @cached_property
    def _loaded(self) -> Callable[..., Any]:
        return load(self.function)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Ask the function."""
        yield from ()
        result = self._loaded(query, responses[-1])
        if result is not None and not (isinstance(result, int | float) and 0 <= result <= 1):
            raise DataError(f"{self.function} must return a number in [0, 1] or None, not {result!r}.")
        return None if result is None else float(result)
