"""What one streamed call has shown: its deltas counted, its response kept, its error told how far it got."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

from pointsman.errors import PointsmanError
from pointsman.types import Call, CallError, Delta, Response

__all__ = ["Shown"]


class Shown:
    """What a streamed call has shown so far, and the response it ended in, once it has.

    `emitted` counts the characters shown; a piece without text, such as one of a tool call, counts as one.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.emitted = 0
        self.response: Response | None = None
        self._failed = False

    @property
    def cut_off(self) -> bool:
        """Whether the stream has ended in neither a response nor an error."""
        return self.response is None and not self._failed

    def deltas(self, opening: Callable[[], Iterator[Delta | Response]]) -> Generator[Delta, None, None]:
        """Open a stream and yield its deltas; a CallError on the way carries what was emitted."""
        pieces: object = None
        try:
            for piece in (pieces := opening()):
                if isinstance(piece, Delta):
                    yield self._counted(piece)
                else:
                    self._ends_in(piece)
        except CallError as error:
            raise self._failure(error) from error.__cause__
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    async def adeltas(self, opening: Callable[[], AsyncIterator[Delta | Response]]) -> AsyncGenerator[Delta, None]:
        """Open an asynchronous stream and yield its deltas; a CallError on the way carries what was emitted."""
        pieces: object = None
        try:
            async for piece in (pieces := opening()):
                if isinstance(piece, Delta):
                    yield self._counted(piece)
                else:
                    self._ends_in(piece)
        except CallError as error:
            raise self._failure(error) from error.__cause__
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    def complete(self) -> Response:
        """Return the response that ended the stream."""
        if self.response is None:
            raise PointsmanError(f"The stream of {self.call.model!r} ended without its Response, which comes last.")
        return self.response

    def interrupted(self) -> CallError:
        """Return what to record of a stream that was cut off."""
        told = f"cut off after {self.emitted} characters; it may have been billed"
        return CallError(self.call.model, told, emitted=self.emitted, interrupted=True)

    def _counted(self, delta: Delta) -> Delta:
        if self.response is not None:
            raise PointsmanError(f"The stream of {self.call.model!r} goes on after its Response, which comes last.")
        self.emitted += len(delta.text) or 1
        return delta

    def _ends_in(self, response: object) -> None:
        if not isinstance(response, Response):
            kind = type(response).__name__
            raise TypeError(f"The stream of {self.call.model!r} yields Delta and, last, a Response; not {kind}.")
        if self.response is not None:
            raise PointsmanError(
                f"The stream of {self.call.model!r} has two Responses; there is one, and it comes last."
            )
        self.response = response

    def _failure(self, error: CallError) -> CallError:
        self._failed = True
        return error if error.emitted >= self.emitted else error.changed(emitted=self.emitted)
