"""Round trips: whatever its parameters, a component comes back from its spec and from its file as it was, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pointsman.artifacts import load, save
from pointsman.components import Component
from pointsman.config import build, component_class, registered
from pointsman.errors import ArtifactError, ConfigError, DataError
from pointsman.testing import toy
from pointsman.testing.cases import case_of
from pointsman.testing.saboteurs.honest import HonestFeatures
from pointsman.testing.strategies import components

CLASSES = [component_class(name) for name in registered()]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_a_spec_builds_the_same_component(cls: type[Component], data: st.DataObject) -> None:
    """Through JSON and back, every parameter is what it was, and so is the digest."""
    component = data.draw(components(cls))
    again = build(json.loads(json.dumps(component.spec(), allow_nan=False)))
    assert again.spec() == component.spec()
    assert repr(again) == repr(component)
    assert again.digest() == component.digest()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@settings(max_examples=settings.default.max_examples // 4)  # each of them fits a component
@given(data=st.data())
def test_a_file_gives_back_the_same_behaviour(cls: type[Component], data: st.DataObject) -> None:
    """Fitted with any parameters, a component does the same after saving and loading, to the last bit."""
    component = data.draw(components(cls))
    assume(component.params().get("bits", 0) <= 12)  # larger tables are the same code, slowly
    case = case_of(component)
    try:
        fitted = case.trained(toy(24))
    except (ConfigError, DataError):
        return  # a budget below the cheapest model, say: such parameters are refused, with a reason
    with TemporaryDirectory() as folder:
        again = load(save(fitted, Path(folder) / "component.pointsman"))
    assert again.digest() == fitted.digest()
    assert case.behaviour(again) == case.behaviour(fitted)


def artefact() -> bytes:
    """Return the bytes of a small artefact."""
    with TemporaryDirectory() as folder:
        return save(HonestFeatures().fit(toy(4).queries), Path(folder) / "a.pointsman").read_bytes()


ARTEFACT = artefact()


@given(st.integers(0, len(ARTEFACT) - 1), st.binary(min_size=1, max_size=40))
def test_damage_is_noticed_or_harmless(at: int, noise: bytes) -> None:
    """Whichever bytes of a file are overwritten, reading it raises ArtifactError or gives the component that was saved."""
    expected: Any = HonestFeatures().fit(toy(4).queries).digest()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.pointsman"
        path.write_bytes(ARTEFACT[:at] + noise + ARTEFACT[at + len(noise) :])
        try:
            found = load(path, classes=[HonestFeatures])
        except ArtifactError:
            return
    assert found.digest() == expected


@given(st.integers(0, len(ARTEFACT) - 1))
def test_a_cut_file_is_refused(length: int) -> None:
    """A file that ends early is never taken for a whole one."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cut.pointsman"
        path.write_bytes(ARTEFACT[:length])
        with pytest.raises(ArtifactError):
            load(path, classes=[HonestFeatures])
