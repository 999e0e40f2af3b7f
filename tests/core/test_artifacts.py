"""Artefacts: one file of plain data that gives back what was saved, or says why it cannot."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.artifacts import SCHEMA_VERSION, dumps, load, loads, read_manifest, save
from pointsman.config import build
from pointsman.data.text_id import text_id
from pointsman.errors import ArtifactError
from pointsman.estimators.linear import Linear
from pointsman.policies.utility import Utility
from pointsman.routers.base import uniform
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.testing import toy
from pointsman.testing.saboteurs.honest import HonestRouter
from pointsman.testing.toys import QUERIES


@pytest.fixture(scope="module")
def router() -> EstimatedRouter:
    """A fitted router with parts, arrays and a pool with prices."""
    return EstimatedRouter(estimator=Linear.examples()[0], policy=Utility(cost_weight=20.0)).fit(toy())


@pytest.fixture
def path(router: EstimatedRouter, tmp_path: Path) -> Path:
    """Return the file that holds the router."""
    return save(router, tmp_path / "router.pointsman", metadata={"data": "toy"})


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Change the members of an artefact in place."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def manifest(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    """Return a change of the manifest's entries."""

    def changed(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | changes).encode()

    return changed


def test_what_is_loaded_decides_as_what_was_saved(router: EstimatedRouter, path: Path) -> None:
    """Digest, spec, pool and every decision are the same."""
    again = load(path)
    assert isinstance(again, EstimatedRouter)
    assert again.digest() == router.digest()
    assert again.spec() == router.spec()
    assert dict(again.models) == dict(router.models)
    assert [again.decide(query) for query in QUERIES] == [router.decide(query) for query in QUERIES]


def test_an_unfitted_component_can_be_saved(tmp_path: Path) -> None:
    """A component without a state comes back without one."""
    again = load(save(Utility(cost_weight=3.0), tmp_path / "policy.pointsman"))
    assert again.spec() == Utility(cost_weight=3.0).spec()
    assert again.state_ is None


def test_saving_twice_gives_the_same_bytes(router: EstimatedRouter, tmp_path: Path) -> None:
    """Neither the time nor the place of saving shows in the file."""
    files = [save(router, tmp_path / name) for name in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_file_is_replaced_as_a_whole(router: EstimatedRouter, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that fails half way leaves the file that was there, and what it began is not taken for an artefact."""
    before = path.read_bytes()
    monkeypatch.setattr(np.lib.format, "write_array", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(router, path)
    assert path.read_bytes() == before


def test_the_manifest_can_be_read_alone(router: EstimatedRouter, path: Path) -> None:
    """Version, digest and metadata are there without building anything; metadata do not enter the digest."""
    found = read_manifest(path)
    assert found["schema_version"] == SCHEMA_VERSION
    assert found["digest"] == router.digest()
    assert found["metadata"] == {"data": "toy"}


def test_an_artefact_is_json_and_plain_arrays(path: Path) -> None:
    """Its members are a manifest and arrays that load without pickle."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names[0] == "manifest.json"
        assert all(name.endswith(".npy") for name in names[1:])
        for name in names[1:]:
            with archive.open(name) as member:
                np.lib.format.read_array(member, allow_pickle=False)


def test_loaded_arrays_are_read_only(path: Path) -> None:
    """Nobody changes what was learnt by accident."""
    again = load(path)
    assert isinstance(again, EstimatedRouter)
    weights = again.state_.estimator.state_.weights  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="read-only"):
        weights[0] = 0.0


def test_a_class_of_ones_own_is_named_to_be_loaded(tmp_path: Path) -> None:
    """A component that nobody registered is loaded with its classes, and refused without."""
    path = save(HonestRouter().fit(toy()), tmp_path / "own.pointsman")
    with pytest.raises(ArtifactError, match="Unknown component"):
        load(path)
    parts = {type(part) for part in (HonestRouter(), HonestRouter().estimator, HonestRouter().policy)}
    features = type(HonestRouter().estimator.features)  # type: ignore[attr-defined]
    assert isinstance(load(path, classes={*parts, features}), HonestRouter)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error says where nothing is."""
    with pytest.raises(ArtifactError, match=r"There is no artefact at .*nowhere"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"], ids=["empty", "text", "cut"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    """The error says that the file is not an artefact."""
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ArtifactError, match="is not an artefact"):
        load(tmp_path / "file")


def test_a_foreign_archive_is_refused(tmp_path: Path) -> None:
    """A zip file of something else has no manifest of ours."""
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("cat.jpg", b"meow")
    with pytest.raises(ArtifactError, match="its manifest cannot be read"):
        load(tmp_path / "photos.zip")


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b"{}", b'"text"', b"\xff"], ids=["cut", "list", "empty", "text", "bytes"]
)
def test_an_archive_with_another_manifest_is_refused(path: Path, text: bytes) -> None:
    """A manifest that is not ours is not guessed at."""
    rewritten(path, lambda members: members.update({"manifest.json": text}))
    with pytest.raises(ArtifactError, match="is not an artefact"):
        load(path)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, "1", None])
def test_a_newer_schema_is_refused_with_both_versions(path: Path, version: object) -> None:
    """The error names the file's version and the newest one that this library reads."""
    rewritten(path, manifest(schema_version=version))
    with pytest.raises(ArtifactError, match=rf"schema version {version}; .* reads up to {SCHEMA_VERSION}"):
        load(path)


def test_a_changed_number_is_noticed(path: Path) -> None:
    """A single bit of an array that is not what was saved does not pass the digest."""

    def flip(members: dict[str, bytes]) -> None:
        name = max(name for name in members if name.endswith(".npy"))
        members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])

    rewritten(path, flip)
    with pytest.raises(ArtifactError, match="does not match its digest"):
        load(path)


def test_a_changed_parameter_is_noticed(path: Path) -> None:
    """A spec that was edited by hand does not pass the digest."""
    tree = read_manifest(path)["component"]
    tree["$component"]["policy"]["cost_weight"] = 21.0
    rewritten(path, manifest(component=tree))
    with pytest.raises(ArtifactError, match="does not match its digest"):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda members: members.pop("arrays/0000.npy"),
        lambda members: members.update({"arrays/0000.npy": b"\x93NUMPY cut"}),
        manifest(component={"$component": {"type": "Nothing"}, "state": None}),
        manifest(component={"$state": "Nothing", "fields": {}}),
        manifest(component=[1, 2]),
        manifest(arrays={}),
        manifest(arrays=None),
    ],
    ids=["lost array", "cut array", "unknown class", "unknown state", "no component", "no arrays", "odd arrays"],
)
def test_a_damaged_artefact_is_refused(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Whatever is lost or wrong, the error is an ArtifactError that names the file."""
    rewritten(path, change)
    with pytest.raises(ArtifactError, match=r"router\.pointsman"):
        load(path)


def test_an_array_of_objects_is_never_unpickled(path: Path, tmp_path: Path) -> None:
    """A pickle inside an array is refused, not run."""

    class Bomb:
        """Touches a file when it is unpickled."""

        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    np.save(tmp_path / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    bomb = (tmp_path / "bomb.npy").read_bytes()
    rewritten(path, lambda members: members.update({"arrays/0000.npy": bomb}))
    with pytest.raises(ArtifactError, match="cannot be read"):
        load(path)
    assert not (tmp_path / "exploded").exists()


def test_a_damaged_archive_is_refused(path: Path) -> None:
    """Bytes that were damaged on the way do not pass the archive's own checksums."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(ArtifactError):
        load(path)


def test_any_name_survives(tmp_path: Path) -> None:
    """Text that is no valid Unicode, as logs may have it, comes back as it was."""
    name = "half a pair \ud83e"
    pool = [{"name": "small"}, {"name": name}]
    router = build({"type": "RulesRouter", "pool": pool, "default": name})
    again = load(save(router, tmp_path / "odd.pointsman"))
    assert isinstance(again, RulesRouter)
    assert again.default == name
    assert text_id(name).startswith("q-")
    assert 0 <= uniform(0, name) < 1


def test_an_artefact_may_stay_in_memory(router: EstimatedRouter, path: Path) -> None:
    """What `dumps` returns is the file that `save` writes, and `loads` reads it back; other bytes are no artefact."""
    content = dumps(router, metadata={"data": "toy"})
    assert content == path.read_bytes()
    assert loads(content).digest() == router.digest()
    with pytest.raises(ArtifactError, match="the artefact is not an artefact"):
        loads(b"nothing")
