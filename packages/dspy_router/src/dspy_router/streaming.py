"""Streaming: DSPy's own stream, watched, so that no other model is asked once something was shown."""

from __future__ import annotations

from typing import Any

__all__ = ["WatchedStream"]


class WatchedStream:
    """Passes everything on to the stream of `dspy.streamify` and counts the characters of models' chunks."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.emitted = 0

    async def send(self, item: Any) -> None:
        """Send an item; a model's chunk without text counts as one character."""
        await self._stream.send(item)
        if choices := getattr(item, "choices", None):
            self.emitted += len(choices[0].delta.content or " ")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
