"""From a model's metadata to its caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pointsman.callers import FunctionCaller, OpenAICaller, caller_of, callers_of, resolving
from pointsman.errors import ConfigError
from pointsman.models import ModelPool, ModelSpec
from pointsman.types import Call, Query, Response


def spec(**metadata: Any) -> ModelSpec:
    """Return a model with these metadata."""
    return ModelSpec(name="small", metadata=metadata)


def test_a_function_is_found() -> None:
    """`callable` names it."""
    caller = caller_of(spec(callable="builtins:repr", note="anything else is left alone"))
    assert isinstance(caller, FunctionCaller)
    assert caller.function is repr


def test_an_endpoint_is_set_up_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key comes from the environment, never from the file."""
    pytest.importorskip("httpx", reason="calling over HTTP needs the extra 'http'")
    monkeypatch.setenv("SMALL_KEY", "sk-1")
    caller = caller_of(
        spec(endpoint="http://127.0.0.1/v1", model="small-v3", api_key_env="SMALL_KEY", params={"top_p": 1})
    )
    assert isinstance(caller, OpenAICaller)
    assert (caller.endpoint, caller.model, caller.params) == ("http://127.0.0.1/v1", "small-v3", {"top_p": 1})
    assert caller._headers == {"authorization": "Bearer sk-1"}


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better here than as a refusal of every call."""
    monkeypatch.delenv("SMALL_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"models\.small: the environment variable 'SMALL_KEY' holds no key"):
        caller_of(spec(endpoint="http://127.0.0.1/v1", api_key_env="SMALL_KEY"))


def test_wrong_settings_are_named_with_their_place() -> None:
    """Each with model, key and value."""
    with pytest.raises(ConfigError, match=r"models\.small\.metadata\.timeout_s: .*got 'soon'"):
        caller_of(spec(endpoint="http://127.0.0.1/v1", timeout_s="soon"))
    with pytest.raises(ConfigError, match=r"models\.small\.metadata\.callable must be 'module:function', got 3"):
        caller_of(spec(callable=3))


def test_one_way_and_one_only() -> None:
    """No way and two ways are both errors that list the ways."""
    with pytest.raises(ConfigError, match=r"by one of 'callable', 'endpoint'.*; it has none"):
        caller_of(spec())
    with pytest.raises(ConfigError, match="it has 'note'"):
        caller_of(spec(note=1))
    with pytest.raises(ConfigError, match="it has several: 'callable', 'endpoint'"):
        caller_of(spec(callable="builtins:repr", endpoint="http://127.0.0.1/v1"))


@dataclass
class Entry:
    """An entry point as an installed package registers it."""

    name: str

    def load(self) -> Any:
        """Return the factory."""
        return lambda spec: FunctionCaller(function=lambda _: f"{self.name}: {spec.metadata[self.name]}")


async def test_an_installed_package_adds_a_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry's name is the metadata key; its factory gets the model."""
    monkeypatch.setattr(
        resolving, "entry_points", lambda group: [Entry("parrot")] if group == "pointsman.callers" else []
    )
    response = await caller_of(spec(parrot="polly"))(Call(model="small"), Query(text="hi"))
    assert response.text == "parrot: polly"


async def silent(call: Call, _: Query) -> Response:
    """Answer nothing."""
    return Response(model=call.model, text="")


def test_a_pool_is_resolved_as_a_whole() -> None:
    """Given callers go first; all models that cannot be called are named at once."""
    pool = ModelPool([spec(callable="builtins:repr"), "other", "third"])
    callers = callers_of(pool, {"other": silent, "third": silent})
    assert set(callers) == {"small", "other", "third"}
    assert callers["other"] is silent
    with pytest.raises(ConfigError, match=r"(?s)models\.other: .*models\.third: "):
        callers_of(pool)
    with pytest.raises(ConfigError, match="given for unknown model 'fourth'"):
        callers_of(pool, {"fourth": silent})
