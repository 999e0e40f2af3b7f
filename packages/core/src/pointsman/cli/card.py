"""`pointsman card`: what an artefact holds, from its parts to its held-out figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import FITTED_TEXTS, load_router
from pointsman.cli.models import pool_rows, prices_table
from pointsman.cli.output import json_option, result
from pointsman.cli.recipe import findings_of

__all__ = ["card"]

_SHOWN_OTHERWISE = {FITTED_TEXTS, "findings"}
"""What metadata hold for other commands, and what the router itself tells."""


@click.command(
    cls=Command,
    short_help="Say what a saved router holds.",
    examples=("pointsman card router.pointsman",),
)
@click.argument("artefact")
@json_option
def card(*, artefact: str, as_json: bool) -> None:
    """Say what an artefact holds: its parts, its models, what it found, the data it learnt from and its held-out figures."""
    from rich.console import Console
    from rich.tree import Tree

    from pointsman.artifacts import read_manifest
    from pointsman.cli.figures import show_findings

    router, manifest = load_router(artefact), read_manifest(artefact)
    kept = {name: value for name, value in manifest["metadata"].items() if name not in _SHOWN_OTHERWISE}
    findings = findings_of(router)
    tags = {name: sorted(getattr(router.tags, name)) for name in ("when", "what", "how")}
    data = {
        "digest": manifest["digest"],
        "schema_version": manifest["schema_version"],
        "spec": router.spec(),
        "tags": tags,
        "models": pool_rows(router.models),
        "findings": None if findings is None else findings.to_dict(),
        "metadata": kept,
    }

    def shown(console: Console) -> None:
        tree = Tree(f"[bold]{type(router).__name__}[/]  digest {manifest['digest']}")
        _grow(tree, {key: value for key, value in router.spec().items() if key != "type"})
        console.print(tree)
        console.print(prices_table(router.models))
        if findings is not None:
            show_findings(findings, console)
        if kept:
            learnt = Tree("[bold]Kept with it[/]")
            _grow(learnt, kept)
            console.print(learnt)

    result(data, as_json=as_json, shown=shown)


def _grow(tree: Any, content: Mapping[str, Any]) -> None:
    """Add plain data to a tree, a branch a table and a leaf a value."""
    from rich.markup import escape

    for key, value in content.items():
        if isinstance(value, Mapping):
            name = f"{key}: [bold]{escape(str(value['type']))}[/]" if "type" in value else escape(str(key))
            _grow(tree.add(name), {k: v for k, v in value.items() if k != "type"})
        else:
            tree.add(f"{escape(str(key))}: {escape(', '.join(_leaves(value)))}")


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, float):
        yield f"{value:.4g}"
    else:
        yield str(value)
