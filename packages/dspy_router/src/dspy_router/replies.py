"""Replies: what a DSPy language model returned, as a response of the core with its usage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dspy_router.logprobs import FIELD, logprobs_of
from pointsman.types import Response, Usage

__all__ = ["nominal_usage", "response_of", "usage_of"]

_NO_TOKENS = Usage(input_tokens=0, output_tokens=0)


def response_of(model: str, outputs: Any, entry: Mapping[str, Any] | None) -> Response:
    """Return a response for what a language model returned: a list of outputs, or a `dspy.lm15.Response`.

    `entry` is the call's own in DSPy's history; without it, as with the history turned off, the usage is unknown. A reply out
    of DSPy's cache used no tokens and costs nothing.
    """
    cached = entry is not None and _from_cache(entry)
    likely = logprobs_of(outputs)
    return Response(
        model=model,
        text=_text(outputs),
        content=_content(outputs),
        usage=_NO_TOKENS if cached else usage_of(entry["usage"] if entry is not None else None),
        cost_usd=0.0 if cached else None,
        logprobs=likely.logprobs,
        top_logprobs=likely.top_logprobs,
        served_model=entry["response_model"] if entry is not None else None,
        raw=outputs,
    )


def _text(outputs: Any) -> str:
    if not isinstance(outputs, list):
        return outputs.text or ""
    first = outputs[0] if outputs else ""
    return (first if isinstance(first, str) else first.get("text")) or ""


def _content(outputs: Any) -> Any:
    """Return what an answer consists of besides its text; None if it is one text alone, however likely its tokens."""
    if not isinstance(outputs, list) or (len(outputs) == 1 and _is_text(outputs[0])):
        return None
    return outputs


def _is_text(output: Any) -> bool:
    return isinstance(output, str) or output.keys() == {"text", FIELD}


def nominal_usage(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tokens that a reply takes to make, as DSPy counts them, whether or not its cache gave it; {} is unknown."""
    used = usage_of(entry["usage"]) if entry["usage"] else _of_cached(entry)
    if used is None:
        return {}
    return {
        "prompt_tokens": used.input_tokens,
        "completion_tokens": used.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": used.cached_input_tokens,
            "cache_creation_tokens": used.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": used.reasoning_tokens},
    }


def _of_cached(entry: Mapping[str, Any]) -> Usage | None:
    """Return what replies out of DSPy's cache say that they took."""
    kept = entry["response"] if isinstance(entry["response"], tuple) else (entry["response"],)
    found = [getattr(reply, "usage", None) for reply in kept]
    into = [_first(one, "input_tokens", "prompt_tokens") for one in found]
    out = [_first(one, "output_tokens", "completion_tokens") for one in found]
    if None in into or None in out:
        return None
    read = sum(_first(one, "cache_read_tokens") or 0 for one in found)
    written = sum(_first(one, "cache_write_tokens") or 0 for one in found)
    apart = "anthropic" in str(entry["model"])  # whose input leaves out what its own cache read and wrote
    return Usage(
        input_tokens=sum(count or 0 for count in into) + (read + written if apart else 0),
        output_tokens=sum(count or 0 for count in out),
        cached_input_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=sum(_first(one, "reasoning_tokens") or 0 for one in found),
    )


def _first(usage: Any, *names: str) -> int | None:
    given = (usage.get(name) if isinstance(usage, Mapping) else getattr(usage, name, None) for name in names)
    return next((count for count in given if count is not None), None)


def usage_of(told: Mapping[str, Any] | None) -> Usage | None:
    """Return DSPy's token counts as the core's; None is unknown."""
    if not told or told.get("prompt_tokens") is None or told.get("completion_tokens") is None:
        return None
    into, out = told.get("prompt_tokens_details"), told.get("completion_tokens_details")
    return Usage(
        input_tokens=told["prompt_tokens"],
        output_tokens=told["completion_tokens"],
        cached_input_tokens=_detail(into, "cached_tokens"),
        cache_write_tokens=_detail(into, "cache_creation_tokens"),
        reasoning_tokens=_detail(out, "reasoning_tokens"),
    )


def _detail(details: Any, name: str) -> int:
    if not details:
        return 0
    plain = type(details) is dict or isinstance(details, Mapping)
    found = details.get(name) if plain else getattr(details, name, None)
    return found or 0


def _from_cache(entry: Mapping[str, Any]) -> bool:
    """Tell whether DSPy's cache answered: then no usage is billed, though the kept reply reports some or says so itself."""
    if entry["usage"]:
        return False
    kept = entry["response"] if isinstance(entry["response"], tuple) else (entry["response"],)
    return any(
        getattr(reply, "cache_hit", False) or getattr(getattr(reply, "usage", None), "total_tokens", None) is not None
        for reply in kept
    )
