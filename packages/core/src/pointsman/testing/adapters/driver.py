"""Drivers: the few things that the checks of adapters need done in a framework's own terms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pointsman.dispatch import Dispatcher
from pointsman.testing.replay_server import Recorded

__all__ = ["AdapterDriver", "Program", "Watched"]

Program = Callable[[Any, str], str]
"""An agent or an engine of the framework around a routed model: answers a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a framework's own instruments saw while something happened.

    Parameters:
        llm_events: LLM calls that the framework was told of.
        nested: Those of them under a span, or run, of the router.
        input_tokens: The prompts' tokens by the framework's own counter.
        output_tokens: The answers' tokens by the same.
    """

    llm_events: int
    nested: int
    input_tokens: int
    output_tokens: int


class AdapterDriver(ABC):
    """Builds, calls and watches a framework's routed model; an adapter's tests derive one and hand it to `check_adapter`."""

    key: ClassVar[str] = "sk-0123456789-conformance"
    """The key that every client is built with, and that must not be seen again."""
    ways: ClassVar[Sequence[str]] = ("sync", "async", "stream", "astream")
    """The ways to ask; those that end in "stream" show the answer as it comes."""
    nests: ClassVar[bool] = True
    """Whether the framework has spans or runs that one may lie under."""

    @abstractmethod
    def build(self, url: str, dispatcher: Dispatcher) -> Any:
        """Return a routed model over the models of the dispatcher's router.

        Each is a client of the OpenAI-compatible server at `url`, with `key`, that neither retries nor caches.
        """

    @abstractmethod
    def ask(self, llm: Any, way: str, question: str) -> Sequence[str]:
        """Ask a routed model in one of the ways; return the pieces of text shown, a single one where it is not a stream."""

    @abstractmethod
    def watch(self, llm: Any, act: Callable[[], object]) -> Watched:
        """Do something while the framework's own instruments watch this model; what it raises is raised."""

    @abstractmethod
    def programs(self) -> Mapping[str, Program]:
        """Return agents, engines, chains and whatever else the framework makes of a model, by name."""

    @abstractmethod
    def serialised(self, llm: Any) -> Mapping[str, str]:
        """Return every text form that the framework gives a model (dumps, reprs, trace payloads), by name.

        A form that is refused with an error is not one.
        """

    def answer(self, model: str, request: Mapping[str, Any]) -> Recorded:
        """Return what the server answers; by default model and question, with a count of tokens that only this prompt has.

        A driver whose programs need replies in a form of their own overrides it; texts hold the model's name and the question.
        """
        said = _last_text(request)
        return Recorded(text=f"{model} says: {said}", input_tokens=len(said) + 3, output_tokens=len(model) + 2)


def _last_text(request: Mapping[str, Any]) -> str:
    content = next(one["content"] for one in reversed(request["messages"]) if one["role"] == "user")
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
