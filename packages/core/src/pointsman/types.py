"""The nouns of routing: frozen values that every other module passes around."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import fsum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias

from pointsman.errors import PointsmanError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

__all__ = [
    "Answer",
    "Call",
    "CallError",
    "Constraints",
    "Context",
    "Decision",
    "Delta",
    "Embed",
    "Feedback",
    "Message",
    "ModelEstimate",
    "Path",
    "Query",
    "Response",
    "Session",
    "Step",
    "Trace",
    "Usage",
]

Path: TypeAlias = tuple[int, ...]
"""Where a step stands in its plan: (round, position in the batch, attempt)."""

_empty = partial(field, default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation; `content` is text, or parts such as `{"type": "image", ...}`."""

    role: str
    content: str | tuple[Mapping[str, Any], ...]

    @property
    def text(self) -> str:
        """The text of all parts."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part["text"] for part in self.content if isinstance(part.get("text"), str))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Hard limits of one request; None means unconstrained.

    Costs are US dollars and latencies seconds, both as predicted for the one answering call.
    `allow` and `deny` hold model names.
    """

    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    min_quality: float | None = None
    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One request as a router sees it.

    `text` is the question that is routed on; `messages` is the whole conversation that will be sent, where it is more than
    that question. `required` names capabilities the model must have ("tools", "image", ...). `domain` and `tags` are what
    the caller knows about it; `embedding` is a vector computed elsewhere.
    """

    text: str
    id: str = ""
    messages: tuple[Message, ...] = ()
    session_id: str | None = None
    required: frozenset[str] = frozenset()
    constraints: Constraints = Constraints()
    domain: str | None = None
    tags: Mapping[str, str] = _empty()
    embedding: Array | None = field(default=None, compare=False, repr=False)

    @property
    def modalities(self) -> frozenset[str]:
        """The kinds of content in the conversation besides text: "image", "audio", "file", ..."""
        parts = (part for message in self.messages if not isinstance(message.content, str) for part in message.content)
        kinds = (str(part.get("type", "text")).removeprefix("input_").removesuffix("_url") for part in parts)
        return frozenset(kinds) - {"text"}

    @property
    def input_chars(self) -> int:
        """The length of everything that will be sent, in characters of text."""
        return sum(len(message.text) for message in self.messages) if self.messages else len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What earlier turns of the same conversation settled: who answered last, and whether its tool call is still open."""

    last_model: str | None = None
    open_tool_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What holds at the moment of one decision; kept in the trace so that a replay decides alike.

    `operating_point` overrides the policy's fitted setting (its own unit: a λ, a threshold, dollars per query).
    `unavailable` maps models that are cooling down to the reason. `budget_left_usd` is what the ledger can still reserve.
    """

    operating_point: float | None = None
    unavailable: Mapping[str, str] = _empty()
    budget_left_usd: float | None = None
    session: Session = Session()
    clock: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call; None is unknown. `input_tokens` includes the cached ones, `output_tokens` the reasoning ones."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class ModelEstimate(NamedTuple):
    """What a router expected of one model; None is unknown."""

    quality: float | None
    cost_usd: float | None
    latency_s: float | None
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which model should answer, how likely the policy was to pick it, and why.

    `ranking` starts with `model` and goes on with what to try after errors. `final` says that the answer of this call is
    shown as it comes. `excluded` maps the models left out to the reason; `degraded` lists what could not be honoured.
    """

    model: str
    ranking: tuple[str, ...]
    propensity: float = 1.0
    estimates: Mapping[str, ModelEstimate] = _empty()
    final: bool = True
    reason: str = ""
    excluded: Mapping[str, str] = _empty()
    degraded: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A model call that a plan wants performed; `messages` None sends the query's own conversation."""

    model: str
    messages: tuple[Message, ...] | None = None
    params: Mapping[str, Any] = _empty()
    purpose: str = "answer"
    stream: bool = False
    decision: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """An embedding that a plan wants computed by a named embedder."""

    embedder: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a model answered and what it cost; `raw` is the framework's own object, untouched."""

    model: str
    text: str
    step: Path = ()
    content: Any = None
    usage: Usage | None = None
    cost_usd: float | None = None
    latency_s: float | None = field(default=None, compare=False)
    logprobs: tuple[float, ...] | None = None
    served_model: str | None = None
    raw: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One piece of a streamed answer; `raw` is the framework's own chunk."""

    text: str
    raw: Any = field(default=None, compare=False, repr=False)


class CallError(PointsmanError):
    """A model call failed; an outcome like any other, which the plan may answer by trying another model.

    `emitted` counts characters that were already shown. `interrupted` marks a call that was cut off before its outcome was
    known: it may have been billed, so `usage` None keeps its reservation.
    """

    def __init__(
        self,
        model: str,
        message: str,
        *,
        retryable: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        emitted: int = 0,
        interrupted: bool = False,
        usage: Usage | None = None,
        cost_usd: float | None = None,
    ) -> None:
        super().__init__(f"{model}: {message}")
        self.model = model
        self.message = message
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after
        self.emitted = emitted
        self.interrupted = interrupted
        self.usage = usage
        self.cost_usd = cost_usd

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self._details()), (self.model, self.message)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CallError):
            return NotImplemented
        return (self.model, self.message, self._details()) == (other.model, other.message, other._details())

    def __hash__(self) -> int:
        return hash((self.model, self.message))

    def changed(self, **details: Any) -> Self:
        """Return a copy with other details, the same cause and the same traceback."""
        copy = type(self)(self.model, self.message, **{**self._details(), **details})
        copy.__cause__ = self.__cause__
        return copy.with_traceback(self.__traceback__)

    def _details(self) -> dict[str, Any]:
        names = ("retryable", "status", "retry_after", "emitted", "interrupted", "usage", "cost_usd")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a plan ends in: content, and the steps that support it (one response, or the voters)."""

    content: Any
    support: tuple[Path, ...] = ()
    model: str | None = None
    confidence: float | None = None
    reason: str = ""

    @classmethod
    def of(cls, response: Response, *, reason: str = "", confidence: float | None = None) -> Self:
        """Make one response the answer."""
        content = response.text if response.content is None else response.content
        return cls(
            content=content, support=(response.step,), model=response.model, confidence=confidence, reason=reason
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One effect that was performed, how it ended, and its money (None: unknown)."""

    path: Path
    effect: Call | Embed
    outcome: Response | CallError | tuple[tuple[float, ...], ...]
    cost_usd: float | None = None
    started_at: float = field(default=0.0, compare=False)
    latency_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything that happened to one query."""

    id: str
    query: Query
    context: Context
    router: str
    steps: tuple[Step, ...]
    answer: Answer | None
    ended: Literal["answered", "failed", "cancelled"]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions behind the calls, in order, each once."""
        made = (step.effect.decision for step in self.steps if isinstance(step.effect, Call))
        return tuple(dict.fromkeys(decision for decision in made if decision is not None))

    @property
    def cost_usd(self) -> float | None:
        """What all steps cost; None when that of any step is unknown."""
        return total_usd(step.cost_usd for step in self.steps)

    @property
    def response(self) -> Response | None:
        """The response behind the answer, where it is a single one."""
        if self.answer is None or len(self.answer.support) != 1:
            return None
        outcomes = {step.path: step.outcome for step in self.steps}
        found = outcomes.get(self.answer.support[0])
        return found if isinstance(found, Response) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What became of an answer: a reward in [0, 1] for the model of a trace."""

    trace_id: str
    model: str
    reward: float
    kind: str = "user"
    at: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.reward <= 1:
            raise ValueError(f"Feedback.reward must be in [0, 1], got {self.reward}.")


def total_usd(costs: Iterable[float | None]) -> float | None:
    """Add up costs exactly; one unknown cost makes the total unknown.

    >>> total_usd([0.1, 0.2]), total_usd([0.1, None])
    (0.30000000000000004, None)
    """
    known: list[float] = []
    for cost in costs:
        if cost is None:
            return None
        known.append(cost)
    return fsum(known)
