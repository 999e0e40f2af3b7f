"""KeptLM: a language model whose calls are kept in a journal, and of each run what it was asked and used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dspy
from dspy import BaseLM

from dspy_router.copying import copied
from dspy_router.exchange import on_behalf_of_an_adapter
from dspy_router.optimizing.journal import Journal, digest
from dspy_router.record import keep
from dspy_router.replies import nominal_usage
from dspy_router.saving import public

try:  # DSPy's own outputs of tools are read by name or by key
    from dspy.clients.call_result import attributes
except ImportError:
    attributes = lambda value: value  # noqa: E731 - a stand-in

__all__ = ["KeptLM", "Used", "spending"]

_UNSAID = ("api_base", "base_url", "cache")  # where a model is found does not change what it says


@dataclass(frozen=True, slots=True)
class Used:
    """One call of a run: by which predictor, of which candidate, its tokens as DSPy counts them, and DSPy's own estimate."""

    predictor: int
    model: str
    usage: Mapping[str, Any]
    estimate_usd: float | None


_KEY = "pointsman_used"  # among DSPy's settings, which it hands on to its own threads


@contextmanager
def spending() -> Iterator[list[Used]]:
    """Collect what the calls within use, in whichever of DSPy's threads they are made, and also if they were made before."""
    used: list[Used] = []
    with dspy.context(**{_KEY: used}):
        yield used


class KeptLM(BaseLM):
    """Answers a call that was made before out of the journal, with the tokens it took then; others it makes and keeps.

    Parameters:
        name: The candidate's name.
        lm: The language model; calls of it go through a copy, with the options of this one.
        journal: Where the calls are kept.
    """

    def __init__(self, name: str, lm: BaseLM, journal: Journal) -> None:
        self.name = name
        self.inner = lm
        self.journal = journal
        super().__init__(lm.model, model_type=lm.model_type, cache=lm.cache)
        self.kwargs = dict(lm.kwargs)
        self.made: list[tuple[Mapping[str, Any], float | None]] = []

    @property
    def key(self) -> str:
        """What tells the model and its options from others on disk."""
        return digest(self.model, self.model_type, _shown(self.kwargs))

    @property
    def supports_function_calling(self) -> bool:
        """The model's own."""
        return bool(self.inner.supports_function_calling)

    @property
    def supports_reasoning(self) -> bool:
        """The model's own."""
        return bool(self.inner.supports_reasoning)

    @property
    def supports_response_schema(self) -> bool:
        """The model's own."""
        return bool(self.inner.supports_response_schema)

    @property
    def supported_params(self) -> set[str]:
        """The model's own."""
        return set(self.inner.supported_params)

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        """Return the outputs of the call, made now or before."""
        found = self.journal.once(self._key(prompt, messages, kwargs), lambda: self._called(prompt, messages, kwargs))
        return self._told(found, prompt, messages, kwargs)

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        """Return the outputs of the call, made now or before."""
        key = self._key(prompt, messages, kwargs)
        found = self.journal.get(key)
        if found is None:
            inner = self._copy()
            with on_behalf_of_an_adapter(inner, messages):
                found = self._kept(await inner.acall(prompt, messages=messages, **kwargs), inner)
            self.journal.keep(key, found)
        return self._told(found, prompt, messages, kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> KeptLM:
        """Return a copy that shares the client and the journal."""
        twin: KeptLM = self.copy()
        return twin

    def _key(self, prompt: Any, messages: Any, kwargs: Mapping[str, Any]) -> str:
        return digest("call", self.model, self.model_type, prompt, messages, _shown({**self.kwargs, **kwargs}))

    def _called(self, prompt: Any, messages: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        inner = self._copy()
        with on_behalf_of_an_adapter(inner, messages):
            return self._kept(inner(prompt, messages=messages, **kwargs), inner)

    def _copy(self) -> Any:
        inner = copied(self.inner)
        inner.kwargs, inner.cache = dict(self.kwargs), self.cache
        return inner

    def _kept(self, outputs: Any, inner: Any) -> dict[str, Any]:
        """Return a call's outcome as JSON data; what it used is what it takes to make, also if DSPy's cache answered."""
        if not isinstance(outputs, list):
            kind = type(outputs).__name__
            raise TypeError(f"A program under optimization gets lists of outputs from its models, not {kind}.")
        entry = inner.history[-1] if inner.history else None
        usage = {} if entry is None else nominal_usage(entry)
        estimate = None if entry is None else entry.get("cost")
        served = None if entry is None else entry.get("response_model")
        self.made.append((usage, estimate))
        return {"outputs": outputs, "usage": usage, "estimate_usd": estimate, "served": served}

    def _told(self, found: Mapping[str, Any], prompt: Any, messages: Any, kwargs: Mapping[str, Any]) -> Any:
        """Enter the call where it is looked for, and return its outputs."""
        outputs = [attributes(one) if isinstance(one, dict) else one for one in found["outputs"]]
        callers = dspy.settings.caller_modules or []
        caller = next((id(one) for one in reversed(callers) if isinstance(one, dspy.Predict)), 0)
        if (used := dspy.settings.get(_KEY)) is not None:
            used.append(Used(caller, self.name, found["usage"], found["estimate_usd"]))
        entry = {
            "prompt": prompt,
            "messages": messages,
            "kwargs": dict(kwargs),
            "response": None,
            "outputs": outputs,
            "usage": found["usage"],
            "cost": found["estimate_usd"],
            "model": self.model,
            "response_model": found["served"],
        }
        keep([entry], self)
        return outputs


def _shown(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in public(options).items() if name not in _UNSAID}
