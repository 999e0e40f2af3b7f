"""`pointsman version`: what is installed."""

from __future__ import annotations

import click

from pointsman.cli.command import Command
from pointsman.cli.output import json_option, result

__all__ = ["version"]

_EXTRAS = ("langchain-core", "llama-index-core", "dspy", "pyarrow", "genai-prices", "httpx", "jinja2", "matplotlib")


@click.command(
    cls=Command,
    short_help="Say which version this is.",
    examples=("pointsman version --json",),
)
@json_option
def version(*, as_json: bool) -> None:
    """Say which version this is, and which optional packages are there."""
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    def of(package: str) -> str | None:
        try:
            return installed(package)
        except PackageNotFoundError:
            return None

    found = {"pointsman": of("pointsman"), "python": platform.python_version(), "optional": {p: of(p) for p in _EXTRAS}}

    def shown(_: object) -> None:
        click.echo(f"pointsman {found['pointsman']} (Python {found['python']})")
        for package in _EXTRAS:
            click.echo(f"  {package:18}{of(package) or 'not installed'}")

    result(found, as_json=as_json, shown=shown)
