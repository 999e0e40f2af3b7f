"""Holding back: the first pieces of a stream wait until one shows something, so that a failure before it can go elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pointsman.types import Delta

__all__ = ["Held"]


class Held:
    """Holds a stream's first pieces back until one shows something, and lets go of every piece that it has let out.

    Parameters:
        shown: What a piece shows, as text; empty for one that only frames the others.

    >>> held = Held(str.strip)
    >>> [[delta.raw for delta in held.take(piece)] for piece in (" ", "a", " ")]
    [[], [' ', 'a'], [' ']]
    """

    def __init__(self, shown: Callable[[Any], str]) -> None:
        self._shown = shown
        self._back: list[Delta] | None = []

    def take(self, piece: Any) -> list[Delta]:
        """Return what may go out now that this piece has come."""
        text = self._shown(piece)
        delta = Delta(text=text, raw=piece)
        if self._back is None:
            return [delta]
        self._back.append(delta)
        return self.rest() if text else []

    def rest(self) -> list[Delta]:
        """Return what is still held back, and hold nothing back from here on."""
        back, self._back = self._back or [], None
        return back
