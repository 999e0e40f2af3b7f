"""PatternVerifier: an answer that fits a regular expression."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Self

from pointsman.confidence.base import Confidence
from pointsman.errors import ConfigError
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["PatternVerifier"]


class PatternVerifier(Confidence):
    """1 where a pattern is found in the answer and another one is not; else 0.

    Parameters:
        pattern: What a good answer contains, as a regular expression; "" for anything.
        refuses: What a good answer does not contain, such as "I (cannot|don't know)"; None for nothing.
    """

    pattern: str
    refuses: str | None = None

    def __post_init__(self) -> None:
        """Validate both expressions too."""
        super().__post_init__()
        for name in ("pattern", "refuses"):
            try:
                re.compile(getattr(self, name) or "")
            except re.error as error:
                raise ConfigError(
                    f"PatternVerifier.{name} is no regular expression: {getattr(self, name)!r} ({error})."
                ) from None

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that wants an answer, and one that refuses excuses."""
        return cls(pattern="answers|ok"), cls(pattern="", refuses=r"(?i)\bI (?:cannot|can't|don't know)\b")

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Search the last response."""
        yield from ()
        text = responses[-1].text
        found = re.search(self.pattern, text) is not None
        return float(found and (self.refuses is None or re.search(self.refuses, text) is None))
