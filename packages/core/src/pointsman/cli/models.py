"""`pointsman models`: check a table of models and show what they charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pointsman.cli.command import Command
from pointsman.cli.output import json_option, result, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pointsman.models import ModelPool, Price

__all__ = ["models", "pool_rows", "prices_table", "read_pool"]


_EXAMPLE = """\
[[models]]
name = "small"
price = { input_per_mtok = 0.15, output_per_mtok = 0.60 }
context_window = 128000
capabilities = ["tools", "image"]
[models.metadata]                       # how `pointsman collect` reaches it
endpoint = "https://api.example.com/v1"
api_key_env = "EXAMPLE_API_KEY"
"""


@click.command(
    cls=Command,
    short_help="Check a file of models and show their prices.",
    examples=(
        "pointsman models models.toml",
        "",
        "# models.toml",
        *_EXAMPLE.splitlines(),
    ),
)
@click.argument("file")
@json_option
def models(*, file: str, as_json: bool) -> None:
    """Check a file of models (TOML or JSON) and show what they can do and what they charge."""
    pool = read_pool(file)
    result(pool_rows(pool), as_json=as_json, shown=lambda console: console.print(prices_table(pool)))


def read_pool(file: str) -> ModelPool:
    """Read the models of a file; its table `models` holds one entry each."""
    from pointsman.config import read_config
    from pointsman.errors import ConfigError
    from pointsman.models import ModelPool

    content = read_config(file)
    if not content.get("models"):
        raise ConfigError(f"{file} names no models; it needs a [[models]] entry for each.")
    return ModelPool.of(content["models"])


def pool_rows(pool: ModelPool) -> list[dict[str, Any]]:
    """Return what is known about each model."""
    return [
        {
            "name": spec.name,
            "provider": spec.provider,
            "price": spec.price,
            "context_window": spec.context_window,
            "capabilities": None if spec.capabilities is None else sorted(spec.capabilities),
            "metadata": spec.metadata,
        }
        for spec in pool.values()
    ]


def prices_table(pool: ModelPool) -> RenderableType:
    """Return the models with their list prices."""
    rows = [
        [
            spec.name,
            spec.provider or "–",
            ", ".join(sorted(spec.capabilities)) if spec.capabilities is not None else "undeclared",
            *_rates(spec.price),
            f"{spec.context_window:,}" if spec.context_window else "–",
        ]
        for spec in pool.values()
    ]
    return table("Models", "model", "provider", "can", "$/M in", "$/M out", "context", rows=rows, words=3)


def _rates(price: Price | None) -> tuple[str, str]:
    if price is None:
        return "unknown", "unknown"
    return f"{price.input_per_mtok:.2f}", f"{price.output_per_mtok:.2f}"
