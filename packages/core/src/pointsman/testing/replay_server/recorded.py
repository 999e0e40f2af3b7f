"""What one model once answered to one text, and what that used."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Recorded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One recorded answer; None is unknown.

    Parameters:
        text: The answer; empty where the model gave none.
        input_tokens: Tokens of the prompt, the cached ones included. Unknown ones are estimated when served.
        output_tokens: Tokens of the answer, the reasoning ones included. Unknown ones are estimated when served.
        cached_tokens: Prompt tokens the provider read from its cache.
        reasoning_tokens: Answer tokens the client never sees.
        logprob: Mean log-probability of an answer token, at most 0.
        latency_s: Seconds the answer takes; a streamed one spreads its tokens over them.

    Raises:
        ValueError: If a number is negative (`logprob`: positive), or a part exceeds its whole.
    """

    text: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    logprob: float | None = None
    latency_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "latency_s"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name} must be 0 or more, got {value!r}")
        if self.logprob is not None and not self.logprob <= 0:
            raise ValueError(f"logprob must be 0 or less, got {self.logprob!r}")
        for part, whole in (("cached_tokens", "input_tokens"), ("reasoning_tokens", "output_tokens")):
            total = getattr(self, whole)
            if total is not None and getattr(self, part) > total:
                raise ValueError(f"{part} are part of {whole}: {getattr(self, part)} exceeds {total}")
