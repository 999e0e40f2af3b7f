"""Persistence: specs are plain data, artefacts are plain files, and what is read back behaves as what was saved."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from pointsman.artifacts import load, save
from pointsman.components import encode
from pointsman.config import build
from pointsman.testing.cases import Case
from pointsman.testing.expecting import expect_same
from pointsman.testing.toys import toy

__all__ = [
    "check_artefacts_hold_no_pickle",
    "check_artefacts_restore_behaviour",
    "check_fresh_processes_agree",
    "check_saving_repeats",
    "check_specs_survive_json",
]


def check_specs_survive_json(case: Case[Any]) -> None:
    """The spec is JSON data, from which the same component is built again."""
    spec = case.component.spec()
    again = json.loads(json.dumps(spec, allow_nan=False))
    expect_same(again, spec, "JSON changes the spec")
    built = build(again, classes=case.classes)
    assert repr(built) == repr(case.component), f"the spec builds {built!r}"
    expect_same(built.spec(), spec, "the spec builds something else")


def check_artefacts_hold_no_pickle(case: Case[Any]) -> None:
    """The state is made of plain arrays: none of them holds Python objects."""
    arrays: dict[str, np.ndarray] = {}
    encode(case.fitted, arrays)
    objects = [name for name, array in arrays.items() if array.dtype.hasobject]
    assert not objects, f"{objects} hold Python objects"


def check_artefacts_restore_behaviour(case: Case[Any]) -> None:
    """A component that was saved and loaded has the same digest and does exactly the same."""
    with TemporaryDirectory() as folder:
        again = load(save(case.fitted, Path(folder) / "saved.pointsman"), classes=case.classes)
    assert again.digest() == case.fitted.digest(), "the loaded one has another digest"
    expect_same(case.behaviour(again), case.does(), "the loaded one differs")


def check_saving_repeats(case: Case[Any]) -> None:
    """Two equal components make two files of the same bytes."""
    with TemporaryDirectory() as folder:
        files = [save(case.trained(toy()), Path(folder) / f"{i}.pointsman") for i in range(2)]
        first, second = (file.read_bytes() for file in files)
    assert first == second, "the files differ"


def check_fresh_processes_agree(case: Case[Any]) -> None:
    """Loaded in a new process, it does exactly the same: everything it knows is in its artefact."""
    reply = case.process.reply(case)
    assert reply["error"] is None, f"a new process cannot use it: {reply['error']}"
    expected = json.loads(json.dumps(case.does()))
    expect_same(reply["behaviour"], expected, "a new process differs")
