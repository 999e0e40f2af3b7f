"""Configuration: components from plain data and files, and errors that name what is wrong and what there is."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pointsman import config
from pointsman.components import Component
from pointsman.config import build, component_class, decode, read_config, registered
from pointsman.errors import ConfigError
from pointsman.estimators.linear import Linear
from pointsman.estimators.nearest import Nearest
from pointsman.features.lexical import Lexical
from pointsman.routers.rules import RulesRouter
from pointsman.testing.saboteurs.honest import HonestFeatures


def test_specs_nest() -> None:
    """Parts are built from specs within specs; lists serve as tuples."""
    made = build({"type": "Linear", "penalties": [3, 4], "features": {"type": "Lexical", "bits": 9}})
    assert isinstance(made, Linear)
    assert made.penalties == (3, 4)
    assert isinstance(made.features, Lexical)
    assert made.features.bits == 9


def test_pools_and_rules_come_from_rows() -> None:
    """A pool is a list of names and tables, a rule is a table."""
    made = build(
        {
            "type": "RulesRouter",
            "pool": ["large", {"name": "small", "context_window": 100}],
            "default": "small",
            "rules": [{"model": "large", "domains": ["law"]}],
        }
    )
    assert isinstance(made, RulesRouter)
    assert made.pool["small"].context_window == 100
    assert made.rules[0].domains == {"law"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"type": "Nearset"}, r"Unknown component 'Nearset'; known are .*'Nearest'"),
        ({"k": 3}, r'A component needs a "type", one of .*; got \{\'k\': 3\}'),
        ({"type": 3}, r'needs a "type"'),
        ({"type": "Nearest", "neighbours": 3}, r"Nearest has no parameter 'neighbours'; it has .*'k'"),
        ({"type": "Constant", "k": 3}, r"Constant has no parameter 'k'; it has none"),
        ({"type": "Nearest", "k": 0}, r"Nearest\.k: .*got 0"),
        ({"type": "Nearest", "features": {"type": "Constant"}}, r"Nearest\.features.*got Constant\(\)"),
        ({"type": "Nearest", "features": {"type": "Lexical", "bits": 99}}, r"Lexical\.bits: .*got 99"),
        ({"type": "MeanBudget"}, r"MeanBudget: .*'usd'"),
        ({"type": "RulesRouter", "pool": [{"name": ""}], "default": "x"}, r"name must not be empty"),
        ({"type": "RulesRouter", "pool": [{"nme": "small"}], "default": "x"}, r"name"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_choices(spec: dict[str, Any], message: str) -> None:
    """The error names the component, the parameter, the value, and what would be right."""
    with pytest.raises(ConfigError, match=message):
        build(spec)


def test_classes_of_ones_own_can_be_built_without_registering() -> None:
    """`classes` are known for one call, inside other components too, and come before registered ones of the same name."""
    spec = {"type": "Nearest", "features": {"type": "HonestFeatures", "scale": 2.0}}
    made = build(spec, classes=[HonestFeatures])
    assert isinstance(made, Nearest)
    assert isinstance(made.features, HonestFeatures)
    with pytest.raises(ConfigError, match="Unknown component 'HonestFeatures'"):
        build(spec)


@pytest.mark.parametrize("name", registered())
def test_every_registered_name_is_a_component_of_that_name(name: str) -> None:
    """The registry maps each name to the class that is called so."""
    assert component_class(name).__name__ == name
    assert issubclass(component_class(name), Component)


class Point:
    """An entry point as the standard library describes it."""

    name = "Plugged"

    def __init__(self, loads: object) -> None:
        self.loads = loads

    def load(self) -> object:
        """Return what the distribution registered."""
        return self.loads


def _plugged(monkeypatch: pytest.MonkeyPatch, loads: object) -> None:
    def found(*, group: str) -> list[Point]:
        return [Point(loads)] if group == config.ENTRY_POINTS else []

    monkeypatch.setattr(config, "entry_points", found)
    monkeypatch.setattr(config, "_plugins", config._plugins.__wrapped__)


def test_installed_distributions_register_components(monkeypatch: pytest.MonkeyPatch) -> None:
    """A component behind an entry point can be named like our own."""
    _plugged(monkeypatch, HonestFeatures)
    assert "Plugged" in registered()
    assert isinstance(build({"type": "Plugged", "scale": 3.0}), HonestFeatures)


def test_an_entry_point_that_is_no_component_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what was registered instead."""
    _plugged(monkeypatch, SimpleNamespace)
    with pytest.raises(ConfigError, match=r"'Plugged' is .*SimpleNamespace.*, not a Component class"):
        component_class("Plugged")


def test_toml_and_json_files_say_the_same(tmp_path: Path) -> None:
    """Both formats give the same plain data."""
    content = {"router": {"type": "Nearest", "k": 3}}
    (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "a.toml").write_text('[router]\ntype = "Nearest"\nk = 3\n', encoding="utf-8")
    assert read_config(tmp_path / "a.json") == read_config(tmp_path / "a.toml") == content


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", "", r"a\.yaml must end in '\.json' or '\.toml'"),
        ("a.json", "{", r"a\.json is not valid JSON: .*line 1"),
        ("a.toml", "k = ]", r"a\.toml is not valid TOML: .*line 1"),
        ("a.json", "[1]", r"a\.json must hold a table of names and values, not a list"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, name: str, content: str, message: str) -> None:
    """The error names the file and, for syntax, the line."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_config(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error names the file and the reason."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read: No such file"):
        read_config(tmp_path / "nowhere.toml")


def test_decoding_makes_known_states_only() -> None:
    """A state that no loaded module defines is refused, with the known ones."""
    with pytest.raises(ConfigError, match=r"Unknown state 'Subprocess'; known are .*'NearestState'"):
        decode({"$state": "Subprocess", "fields": {}}, {})
