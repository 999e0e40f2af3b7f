"""Composition: what the router is made of, and why, if the router can say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.evaluation.plain import plain
from pointsman.routers.base import Router
from pointsman.selection.choosing.findings import Findings

__all__ = ["Composition", "composition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A router's parts.

    Parameters:
        name: Its class.
        findings: What it says itself of what it chose and why, as text; None where it says nothing.
        found: The same as it stands, where it is an AutoRouter's, else as data; {} where it says nothing.
        parts: Its parameters, one a line: the path to it, and its value.
        spec: The parameters as plain data.
        digest: Hash of parameters and state.
    """

    name: str
    findings: str | None
    found: Findings | Mapping[str, Any]
    parts: tuple[tuple[str, str], ...]
    spec: Mapping[str, Any]
    digest: str


def composition(router: Router) -> Composition:
    """Describe a router, by its own `findings()` where it has such a method, and by its spec."""
    findings = getattr(router, "findings", None)
    said = findings() if callable(findings) else None
    to_dict = getattr(said, "to_dict", None)
    return Composition(
        name=type(router).__name__,
        findings=None if said is None else str(said),
        found=said if isinstance(said, Findings) else plain(to_dict()) if callable(to_dict) else {},
        parts=tuple(_leaves(router.spec())),
        spec=router.spec(),
        digest=router.digest(),
    )


def _leaves(spec: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every parameter of a spec under its path; a component is named before its parameters."""
    if "type" in spec:
        yield path or "router", str(spec["type"])
    for key, value in spec.items():
        at = f"{path}.{key}" if path else key
        if key == "type":
            continue
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, at)
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            for i, item in enumerate(value):
                yield from _leaves(item, f"{at}[{i}]") if isinstance(item, Mapping) else [(f"{at}[{i}]", _text(item))]
        else:
            yield at, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, Mapping):
        return "none"
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
