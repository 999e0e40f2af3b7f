"""Log-probabilities: where DSPy's outputs and predictions hold them, and the outputs of who did not ask for any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pointsman.callers.token_logprobs import TokenLogprobs

__all__ = ["FIELD", "bare", "configured", "logprobs_of", "read"]

FIELD = "logprobs"
"""What they are called in an output, in a prediction and among the options of a call."""


def logprobs_of(outputs: Any) -> TokenLogprobs:
    """Return those of what a language model returned: of the first of its outputs, or of a `dspy.lm15.Response`."""
    if isinstance(outputs, list):
        first = outputs[0] if outputs else None
        return read(first.get(FIELD) if isinstance(first, Mapping) else None)
    places = getattr(outputs, FIELD, None) or ()
    tops = ([{"logprob": other.logprob} for other in place.top] for place in places)
    content = [{"logprob": place.logprob, "top_logprobs": top} for place, top in zip(places, tops, strict=True)]
    return TokenLogprobs.of({"content": content})


def read(told: Any) -> TokenLogprobs:
    """Read what an output or a prediction has under their name: plain data, or an object of a provider's client."""
    return TokenLogprobs.of(told if told is None or isinstance(told, Mapping) else told.model_dump())


def bare(outputs: Any, *, dicts: bool) -> Any:
    """Return outputs as DSPy returns them to who does not ask for log-probabilities.

    Outputs that then consist of a text alone are that text, unless the kind of model makes `dicts` of all of them.
    """
    if not isinstance(outputs, list):
        return replace(outputs, logprobs=None)
    kept = [
        {name: value for name, value in one.items() if name != FIELD} if isinstance(one, Mapping) else {"text": one}
        for one in outputs
    ]
    return kept if dicts or any(len(one) > 1 for one in kept) else [one["text"] for one in kept]


def configured(request: Any, params: Mapping[str, Any]) -> Any:
    """Return a `dspy.lm15.Request` with a plan's own parameters, in OpenAI's terms, in its config."""
    own = {name: value for name, value in params.items() if name not in (FIELD, "top_logprobs")}
    if params.get(FIELD):
        own[FIELD] = params.get("top_logprobs") or 0  # how many others beside each token
    return replace(request, config=replace(request.config, **own))
