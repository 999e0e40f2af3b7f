"""The README's code runs as it stands, against a server that stands in for the provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.testing.replay_server import Recorded, ReplayServer

README = Path(__file__).parents[3] / "packages" / "langchain_router" / "README.md"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    """Serve whatever OpenAI's client asks for."""
    answer = Recorded(text="Paris", input_tokens=10, output_tokens=2)
    with ReplayServer({}, default=lambda *_: answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield server


def test_code_runs(provider: ReplayServer) -> None:
    """All blocks run one after the other, route as they say, and leave a paid trace."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)  # noqa: S102 - our own README
    assert [entry.model for entry in provider.ledger] == [
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-4o-mini",
        "gpt-4o",
        "gpt-4o-mini",
    ]
    assert [trace.cost_usd for trace in names["traces"]] == [pytest.approx((10 * 0.15 + 2 * 0.60) / 1e6)]


def test_record_is_documented(provider: ReplayServer) -> None:
    """The README's table names every key of the record, and every per-call setting."""
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile("".join(blocks[:2]), str(README), "exec"), names)  # noqa: S102 - our own README
    wanted = {*names["message"].response_metadata["router"], *(spec.id for spec in names["llm"].config_specs)}
    assert {name for name in wanted if f"`{name}`" not in text} == set()
    assert provider.ledger
