"""Fresh processes: what a saved component does in a new interpreter, where nothing but its artefact is known.

Run as a program (`python -m pointsman.testing.fresh FOLDER`) it tries every component that `folder/tasks.json` lists.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypedDict

from pointsman.artifacts import load, save
from pointsman.components import Component

if TYPE_CHECKING:
    from pointsman.testing.cases import Case

__all__ = ["FreshProcess", "Reply"]

_FOR_FITTING_ONLY = "sklearn"
_TIMEOUT_S = 120


class Reply(TypedDict):
    """What the new process found: the behaviour or the error, and what the component tried to import but must not."""

    behaviour: Any
    error: str | None
    refused: list[str]


class FreshProcess:
    """A new interpreter that tries the fitted components of one or more cases, all of them at the first question."""

    def __init__(self) -> None:
        self._cases: list[Case[Any]] = []
        self._replies: dict[int, Reply] = {}

    def add(self, case: Case[Any]) -> None:
        """Have this case tried too."""
        self._cases.append(case)

    def reply(self, case: Case[Any]) -> Reply:
        """Return what became of this case."""
        if id(case) not in self._replies:
            waiting = [known for known in self._cases if id(known) not in self._replies]
            with TemporaryDirectory(prefix="pointsman-") as folder:
                replies = _try_all(waiting, Path(folder))
            self._replies.update(zip(map(id, waiting), replies, strict=True))
        return self._replies[id(case)]


def _try_all(cases: Sequence[Case[Any]], folder: Path) -> list[Reply]:
    """Save every case, have another process try what could be saved, and return the replies in order."""
    replies: dict[int, Reply] = {}
    tasks: dict[int, dict[str, Any]] = {}
    for i, case in enumerate(cases):
        try:
            path = save(case.fitted, folder / f"{i}.pointsman")
        except Exception as error:  # noqa: BLE001 - one component's failure must not keep the others from being tried
            replies[i] = Reply(behaviour=None, error=f"it cannot be fitted and saved: {error!r}", refused=[])
        else:
            classes = [f"{part.__module__}:{part.__qualname__}" for part in case.classes]
            tasks[i] = {"path": str(path), "classes": classes}
    (folder / "tasks.json").write_text(json.dumps(list(tasks.values())), encoding="utf-8")
    # Another hash seed, so that nothing may rest on the hash of a text.
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": seed}
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own module
        [sys.executable, "-m", __name__, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"The fresh process failed:\n{done.stderr}")
    found = json.loads((folder / "replies.json").read_text(encoding="utf-8"))
    replies.update(zip(tasks, found, strict=True))
    return [replies[i] for i in range(len(cases))]


class _Refusing(MetaPathFinder):
    """Refuses to import one distribution, and logs each attempt."""

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] == _FOR_FITTING_ONLY:
            self.attempts.append(fullname)
            raise ModuleNotFoundError(f"{fullname} is for fitting; a fitted component must not need it", name=fullname)
        return None


def _class(place: str) -> type[Component]:
    module, _, name = place.partition(":")
    found: type[Component] = attrgetter(name)(import_module(module))
    return found


def _answer(task: dict[str, Any], refusing: _Refusing) -> Reply:
    from pointsman.testing.cases import case_of

    before = len(refusing.attempts)
    behaviour, error = None, None
    try:
        component = load(task["path"], classes=map(_class, task["classes"]))
        behaviour = case_of(component).behaviour(component)
    except Exception as failure:  # noqa: BLE001 - whatever went wrong is the reply
        error = repr(failure)
    return Reply(behaviour=behaviour, error=error, refused=refusing.attempts[before:])


def _main(folder: Path) -> None:
    refusing = _Refusing()
    sys.meta_path.insert(0, refusing)
    tasks: Iterable[dict[str, Any]] = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    replies = [_answer(task, refusing) for task in tasks]
    (folder / "replies.json").write_text(json.dumps(replies), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
