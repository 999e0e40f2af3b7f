"""The server itself: recorded outcomes behind OpenAI's API, on loopback, for as long as a `with` block lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from numpy.typing import ArrayLike, NDArray

from pointsman.testing.replay_server.faults import Fault, FaultQueue
from pointsman.testing.replay_server.ledger import Ledger, LedgerEntry
from pointsman.testing.replay_server.listener import Listener
from pointsman.testing.replay_server.outcomes import OutcomeTable
from pointsman.testing.replay_server.recorded import Recorded
from pointsman.testing.replay_server.recordings import Recordings
from pointsman.testing.replay_server.service import Default, Service

__all__ = ["ReplayServer"]


class ReplayServer:
    """An OpenAI-compatible server on 127.0.0.1 that answers from recorded outcomes, so that real clients run offline.

    It serves `POST /v1/chat/completions` (streamed or not; `n`, `stop`, `max_tokens`, tools, JSON schemas and mode,
    logprobs, usage), `POST /v1/embeddings` and `GET /v1/models`. Replies carry an `x-request-id` and, but for the time
    of day, are the same in every run.

    **Which answer.** The one recorded for the model and exactly the text of the last user message; otherwise, since
    prompts wrap questions, that of the longest recorded text contained in that message; otherwise `default`'s;
    otherwise the reply is 404 and names model and text. Where a tool call or other JSON is due, a value valid for the
    schema is made, borrowing the numbers and quoted strings of the prompt; a recorded JSON object is sent as it is.
    Under `tool_choice` "auto" a tool is called if the question mentions a word of its name. A tool's message is always
    answered in text.

    **Tokens.** Recorded counts are reported when the recorded text is sent whole. All others are estimated at four
    characters a token, which is also what a stream sends at a time. `max_tokens` cuts a text in proportion to its tokens.

    **What the ledger knows.** Whether a client got all of a reply shows when it hangs up: one that leaves bytes unread
    resets the connection. What it has read into its own memory it has got, so give a `Recorded` some `latency_s` to
    see a stream closed halfway.

    Parameters:
        answers: (model, text) -> the recorded answer.
        default: Makes the answer to what is not recorded, from the model's name and the request's body.
        faults: What is to go wrong, in order.
        prices: model -> US dollars a million (input, output) tokens; a model left out costs an unknown amount.
        port: The port; 0 takes a free one.
        dimensions: The length of an embedding of which no length is asked for.

    Raises:
        ValueError: If `dimensions` is less than 1.

    >>> import json, urllib.request
    >>> body = {"model": "small", "messages": [{"role": "user", "content": "Briefly: 2+2?"}]}
    >>> with ReplayServer({("small", "2+2?"): Recorded(text="4", input_tokens=9, output_tokens=1)}) as server:
    ...     reply = urllib.request.urlopen(f"{server.url}/chat/completions", json.dumps(body).encode())
    ...     print(json.load(reply)["choices"][0]["message"]["content"], server.ledger[0].input_tokens)
    4 9
    """

    def __init__(
        self,
        answers: Mapping[tuple[str, str], Recorded],
        *,
        default: Default | None = None,
        faults: Sequence[Fault] = (),
        prices: Mapping[str, tuple[float, float]] | None = None,
        port: int = 0,
        dimensions: int = 64,
    ) -> None:
        if dimensions < 1:
            raise ValueError(f"dimensions must be 1 or more, got {dimensions}")
        self._port = port
        self._listener: Listener | None = None
        self._service = Service(
            recordings=Recordings(answers),
            default=default,
            faults=FaultQueue(faults),
            ledger=Ledger(prices or {}),
            dimensions=dimensions,
        )

    @classmethod
    def from_outcomes(
        cls,
        texts: Sequence[str],
        models: Sequence[str],
        answers: Sequence[Sequence[str | None]] | NDArray[Any],
        input_tokens: ArrayLike | None = None,
        output_tokens: ArrayLike | None = None,
        *,
        latency_s: ArrayLike | None = None,
        default: Default | None = None,
        faults: Sequence[Fault] = (),
        prices: Mapping[str, tuple[float, float]] | None = None,
        port: int = 0,
        dimensions: int = 64,
    ) -> Self:
        """Return a server for n texts and m models, given (n, m) tables; of a repeated text the first row counts.

        Args:
            texts: The n query texts.
            models: The m models.
            answers: (n, m) answers; None, no answer, is served as an empty text.
            input_tokens: (n, m) counts; NaN is unknown and estimated.
            output_tokens: (n, m) counts; NaN is unknown and estimated.
            latency_s: (n, m) seconds; NaN is unknown and takes none.
            default: As of the class, like all that follow.
            faults: What is to go wrong, in order.
            prices: US dollars a million (input, output) tokens by model.
            port: The port; 0 takes a free one.
            dimensions: The length of an embedding of which no length is asked for.

        Raises:
            ValueError: If a table is not (n, m), or a model is repeated.
        """
        table = OutcomeTable(
            texts, models, answers, input_tokens=input_tokens, output_tokens=output_tokens, latency_s=latency_s
        )
        return cls(table, default=default, faults=faults, prices=prices, port=port, dimensions=dimensions)

    def __enter__(self) -> Self:
        if self._listener is not None:
            raise RuntimeError(f"the server is already running at {self.url}")
        self._listener = Listener(self._service, self._port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    @property
    def url(self) -> str:
        """The base URL for clients, `http://127.0.0.1:<port>/v1`; RuntimeError while the server is not running."""
        if self._listener is None:
            raise RuntimeError("the server has an address only inside its with block")
        return f"http://127.0.0.1:{self._listener.server_port}/v1"

    @property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """Every chat and embedding request so far, in order, those still under way included."""
        return self._service.ledger.entries

    def cost_usd(self) -> float | None:
        """Return what the completed requests cost in US dollars; None if one used a model without a price."""
        return self._service.ledger.cost_usd()

    def fail(self, *faults: Fault) -> None:
        """Queue more faults, also while requests are being served."""
        self._service.faults.add(faults)
