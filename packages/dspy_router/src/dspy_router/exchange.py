"""One routed call: performs the effects of a plan with copies of the candidates, whose histories tell what each call used."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import dspy

from dspy_router.asking import Asked
from dspy_router.copying import copied
from dspy_router.embedding import Embedder, avectors, vectors
from dspy_router.failures import call_error
from dspy_router.logprobs import FIELD, bare
from dspy_router.record import KEY, keep, outcome_of, request_of
from dspy_router.replies import response_of
from dspy_router.streaming import WatchedStream
from pointsman.dispatch import named_embedder
from pointsman.errors import ConfigError, PointsmanError, choices
from pointsman.failures import Surfacing
from pointsman.flow import Effect, Outcome
from pointsman.types import Call, CallError, Embed, Response, Trace

try:  # only in DSPy 3.4: marks messages as an adapter's, of whose form nobody needs to be warned
    from dspy.clients._deprecation import adapter_message_call as on_behalf_of_an_adapter
except ImportError:
    on_behalf_of_an_adapter = lambda _lm, _messages: nullcontext()  # noqa: E731 - a stand-in

__all__ = ["REQUEST_OPTIONS", "CandidateCall", "Exchange", "on_behalf_of_an_adapter"]

REQUEST_OPTIONS = frozenset({"cache", "rollout_id"})
"""What may stand beside a Request, which carries all other options itself."""


class CandidateCall:
    """One call of one candidate: a copy of it, with a history of its own, and the arguments.

    Within its `with` block errors become outcomes, chunks are counted, and the entries are kept. What is not to be shown as it
    comes, such as a draft, does not see the stream.
    """

    __slots__ = ("_around", "_exchange", "_watched", "args", "call", "kwargs", "lm")

    def __init__(self, exchange: Exchange, call: Call, lm: Any, asked: Asked) -> None:
        self.call = call
        self.lm = lm
        self.args = (replace(asked.prompt, model=lm.model),) if asked.typed else (asked.prompt,)
        self.kwargs = {"messages": asked.messages, **asked.options}
        self._exchange = exchange
        self._around: ExitStack | None = None
        self._watched: WatchedStream | None = None

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of what was called so far in DSPy's history."""
        entries: list[dict[str, Any]] = self.lm.history
        return entries

    def response(self, outputs: Any) -> Response:
        """Return what the candidate returned as the core's response; log-probabilities that only the plan wants stay there."""
        entries = self.entries
        response = response_of(self.call.model, outputs, entries[-1] if entries else None)
        if FIELD not in self.call.params or self._exchange.wants_logprobs(self):
            return response
        return replace(response, raw=bare(outputs, dicts=self.lm.model_type == "responses"))

    def __enter__(self) -> Self:
        stream, messages = dspy.settings.send_stream, self.kwargs["messages"]
        if stream is None and messages is None:
            return self
        with ExitStack() as around:
            if messages is not None:
                around.enter_context(on_behalf_of_an_adapter(self.lm, messages))
            if stream is not None:
                self._watched = WatchedStream(stream) if self.call.stream else None
                around.enter_context(dspy.context(send_stream=self._watched))
            self._around = around.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._around is not None:
                self._around.__exit__(kind, error, traceback)
            if isinstance(error, Exception):
                emitted = self._watched.emitted if self._watched is not None else 0
                if (failure := self._exchange.failure(self, error, emitted)) is not None:
                    raise failure from error
        finally:
            self._exchange.keep(self)


class Exchange(Surfacing):
    """The candidates, what was asked, and the histories that the calls are entered in.

    Parameters:
        owner: The language model that was called: its history gets every entry, and its callbacks see every call.
        candidates: The language models by name.
        embedders: What computes the embeddings that a router may ask for, by name.
        asked: The call, the owner's own options among the options.
    """

    __slots__ = ("asked", "candidates", "embedders", "entries", "owner")

    def __init__(
        self, *, owner: Any, candidates: Mapping[str, Any], embedders: Mapping[str, Embedder], asked: Asked
    ) -> None:
        self.owner = owner
        self.candidates = candidates
        self.embedders = embedders
        self.asked = asked
        self.entries: list[dict[str, Any]] = []

    def perform(self, effect: Effect) -> Outcome:
        """Call the candidate, or compute the embedding, that a plan asks for."""
        if isinstance(effect, Embed):
            return vectors(named_embedder(self.embedders, effect.embedder), effect.texts)
        with self._prepared(effect) as one:
            return one.response(one.lm(*one.args, **one.kwargs))

    async def aperform(self, effect: Effect) -> Outcome:
        """Do as `perform`, awaiting."""
        if isinstance(effect, Embed):
            return await avectors(named_embedder(self.embedders, effect.embedder), effect.texts)
        with self._prepared(effect) as one:
            return one.response(await one.lm.acall(*one.args, **one.kwargs))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Note on the entries how a run ended that failed, and raise the provider's own exception in place of the core's."""
        if isinstance(error, PointsmanError):
            self.note(error.trace)
            super().__exit__(kind, error, traceback)

    def note(self, trace: Trace | None) -> None:
        """Write on every entry how the whole run ended."""
        if trace is not None:
            ended = outcome_of(trace)
            for entry in self.entries:
                entry[KEY].update(ended)

    def failure(self, one: CandidateCall, error: Exception, emitted: int) -> CallError | None:
        """Return an error as an outcome of the call; None for a bug."""
        return call_error(one.call.model, error, emitted=emitted)

    def wants_logprobs(self, one: CandidateCall) -> bool:
        """Tell whether the user asked for log-probabilities, of this call or of every call of the candidate."""
        asked = self.asked
        if asked.typed:
            return asked.prompt.config.logprobs is not None
        return bool(asked.options.get(FIELD) or self.candidates[one.call.model].kwargs.get(FIELD))

    def _prepared(self, call: Call) -> CandidateCall:
        """Return a call ready to be made; messages of the plan's own, such as a judge's, go without the user's options."""
        lm = self._copy(call)
        if call.messages is None:
            return CandidateCall(self, call, lm, self.asked.with_params(call.params) if call.params else self.asked)
        parts = ((turn.role, turn.content) for turn in call.messages)
        messages = [
            {
                "role": role,
                "content": content if isinstance(content, str) else [part.get("raw", part) for part in content],
            }
            for role, content in parts
        ]
        return CandidateCall(self, call, lm, Asked(messages=messages, options=dict(call.params)))

    def _copy(self, call: Call) -> Any:
        candidate = self.candidates.get(call.model)
        if candidate is None:
            raise ConfigError(f"The router chose {call.model!r}, but the candidates are {choices(self.candidates)}.")
        lm = copied(candidate)
        if self.owner.callbacks:
            lm.callbacks = [*lm.callbacks, *self.owner.callbacks]
        return lm

    def keep(self, one: CandidateCall) -> None:
        """Keep the entries of a call, with what was wanted of it, here and in the histories of the owner and the candidate."""
        if one.entries:
            asked = request_of(one.call)
            for entry in one.entries:
                if KEY not in entry:  # of a router within, which keeps its own
                    entry[KEY] = dict(asked)
                    self.entries.append(entry)
            keep(one.entries, self.owner, self.candidates[one.call.model])
