"""Artefacts: one file that holds a fitted component as JSON and plain arrays; reading it runs no code of its own.

The file is a zip archive with `manifest.json` (schema version, digest, spec and state) and one `.npy` member per array. Saving
the same component twice gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pointsman.components import Component, encode
from pointsman.config import decode
from pointsman.errors import ArtifactError, ConfigError
from pointsman.routers.base import Router

__all__ = ["SCHEMA_VERSION", "dumps", "load", "load_router", "loads", "read_manifest", "save"]

SCHEMA_VERSION = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(component: Component, path: str | Path, *, metadata: dict[str, Any] | None = None) -> Path:
    """Write a component to one file, replacing it as a whole, and return the path.

    `metadata` is kept as plain JSON beside it (data, held-out figures, ...) and does not enter the digest.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(dumps(component, metadata=metadata))
    partial.replace(path)
    return path


def dumps(component: Component, *, metadata: dict[str, Any] | None = None) -> bytes:
    """Return the content of the file that `save` would write."""
    arrays: dict[str, np.ndarray] = {}
    tree = encode(component, arrays)
    names = {key: f"arrays/{i:04d}.npy" for i, key in enumerate(sorted(arrays))}
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "digest": component.digest(),
        "metadata": metadata or {},
        "arrays": names,
        "component": tree,
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, "manifest.json", json.dumps(manifest, indent=1).encode())
        for key, name in names.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(arrays[key]), allow_pickle=False)
            _write(archive, name, content.getvalue())
    return written.getvalue()


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def load(path: str | Path, *, classes: Iterable[type[Component]] = ()) -> Component:
    """Read a component back; it decides exactly as the one that was saved.

    `classes` are component classes of yours that no entry point registers.

    Raises:
        ArtifactError: When the file is missing, damaged, no artefact, or written by a newer version.
    """
    return _read(Path(path), str(path), classes)


def loads(content: bytes, *, classes: Iterable[type[Component]] = ()) -> Component:
    """Return the component that `dumps` wrote; the rules and errors are those of `load`."""
    return _read(io.BytesIO(content), "the artefact", classes)


def _read(source: Path | io.BytesIO, name: str, classes: Iterable[type[Component]]) -> Component:
    manifest, archive = _open(source, name)
    with archive:
        try:
            arrays = {key: _array(archive, place) for key, place in manifest["arrays"].items()}
            component = decode(manifest["component"], arrays, classes=classes)
            intact = isinstance(component, Component) and component.digest() == manifest["digest"]
        except Exception as error:  # a damaged file may provoke any
            raise ArtifactError(f"{name} cannot be read: {error}") from error
    if not intact:
        raise ArtifactError(f"{name} is damaged: its content does not match its digest {manifest['digest']!r}.")
    read: Component = component
    return read


def load_router(path: str | Path) -> Router:
    """Read a router back.

    Raises:
        ArtifactError: If the file is missing, damaged or too new.
        ConfigError: If it holds something other than a router.
    """
    router = load(path)
    if not isinstance(router, Router):
        raise ConfigError(f"{path} holds {type(router).__name__}, not a router.")
    return router


def read_manifest(path: str | Path) -> dict[str, Any]:
    """Return the manifest of an artefact without building the component."""
    manifest, archive = _open(Path(path), str(path))
    archive.close()
    return manifest


def _open(source: Path | io.BytesIO, name: str) -> tuple[dict[str, Any], zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except FileNotFoundError:
        raise ArtifactError(f"There is no artefact at {name}.") from None
    except Exception as error:  # a damaged file may provoke any
        raise ArtifactError(f"{name} is not an artefact: {error}.") from error
    try:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
        version = manifest["schema_version"]
    except Exception as error:  # a damaged file may provoke any
        archive.close()
        raise ArtifactError(f"{name} is not an artefact: its manifest cannot be read ({error}).") from error
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        archive.close()
        raise ArtifactError(
            f"{name} has schema version {version}; this version of pointsman reads up to {SCHEMA_VERSION}."
        )
    return manifest, archive


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    array: np.ndarray = np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
    array.flags.writeable = False
    return array
