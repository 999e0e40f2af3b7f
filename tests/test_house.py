"""The house rules that a machine can hold us to."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import pointsman
from pointsman.components import Component
from pointsman.config import BUILTIN

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "packages").glob("*/src/**/*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MAX_FILE, MEDIAN_FILE, MAX_FUNCTION = 350, 120, 40
VAGUE = {"util", "utils", "helper", "helpers", "common", "manager", "misc", "core", "tools"}
IMPORT = "import sys, pointsman; print(*sorted({'numpy', 'pydantic', 'sklearn', 'asyncio'} & set(sys.modules)))"


def name(path: Path) -> str:
    """Return a source file's path as a test id."""
    return str(path.relative_to(ROOT / "packages"))


def modules() -> list[str]:
    """Return the core's modules."""
    return sorted(found.name for found in pkgutil.walk_packages(pointsman.__path__, "pointsman."))


def test_files_are_short() -> None:
    """No file is over the limit, and the median file is well below it."""
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {file: length for file, length in lengths.items() if length > MAX_FILE} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FILE


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function's body has, its docstring left out."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_are_short() -> None:
    """No function's body is over the limit."""
    long = {
        f"{name(path)}:{node.name}": body_lines(node)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS) and body_lines(node) > MAX_FUNCTION
    }
    assert long == {}


def test_modules_are_named_for_what_they_are_about() -> None:
    """No module has a name that could hold anything."""
    assert [name(path) for path in SOURCES if path.stem in VAGUE] == []


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_says_what_it_is_about(path: Path) -> None:
    """A module starts with a docstring whose first line is a sentence."""
    first = (ast.get_docstring(TREES[path]) or "").split("\n\n")[0]
    assert first
    assert first.rstrip().endswith((".", ":", "?"))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_public_names_are_declared(path: Path) -> None:
    """`__all__` holds every public class and function that a module defines."""
    tree = TREES[path]
    declared = next(
        (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ),
        None,
    )
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) or (isinstance(node, FUNCTIONS) and not node.decorator_list)
    }
    # What a component has learnt is read through the component; what a decorator registers is found through its registry.
    public = {item for item in defined if not item.startswith("_") and not item.endswith("State")}
    if "kinds" not in path.parts:  # tasks of the demonstration register themselves by their signatures
        assert public - set(declared or ()) == set()


@pytest.mark.parametrize("path", [path for path in SOURCES if "saboteurs" not in path.parts], ids=name)
def test_nothing_forbidden_is_used(path: Path) -> None:
    """No print, no pickle, no global random numbers, nothing unfinished."""
    used = {ast.unparse(node.func) for node in ast.walk(TREES[path]) if isinstance(node, ast.Call)}
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {(node.module or "").split(".")[0] for node in ast.walk(TREES[path]) if isinstance(node, ast.ImportFrom)}
    assert not used & {"print", "exec", "eval", "np.random.seed", "random.seed", "np.random.rand", "random.random"}
    assert not imported & {"pickle", "dill", "joblib", "marshal", "shelve"}
    assert not re.search(r"\b(TODO|FIXME|XXX)\b|NotImplementedError", path.read_text(encoding="utf-8"))


def test_the_public_face_is_complete() -> None:
    """Every public name of the package can be imported and is documented; none is missing from `__all__`."""
    assert list(pointsman.__all__) == sorted(pointsman.__all__)
    for public in pointsman.__all__:
        assert inspect.getdoc(getattr(pointsman, public)), public


def test_importing_the_package_is_free() -> None:
    """`import pointsman` in a fresh process loads nothing heavy."""
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == []


def test_every_component_is_registered() -> None:
    """Every concrete component of the core, outside the test kit, can be named in a configuration, and nothing else can."""
    for module in modules():
        if ".testing" not in module:
            importlib.import_module(module)
    found, queue = set(), [Component]
    while queue:
        cls = queue.pop()
        queue += cls.__subclasses__()
        if cls.__module__.startswith("pointsman.") and ".testing" not in cls.__module__ and not inspect.isabstract(cls):
            found.add((cls.__name__, cls.__module__))
    found.discard(("Component", "pointsman.components"))
    assert found == set(BUILTIN.items())


def test_states_have_names_of_their_own() -> None:
    """An artefact names the state it holds by its class, so two classes of one name would be taken for each other."""
    found = [
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id.endswith("State") for base in node.bases)
    ]
    assert sorted(found) == sorted(set(found))


def test_every_component_is_in_the_changelog() -> None:
    """A component that users can name is announced."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [component for component in BUILTIN if f"`{component}`" not in changelog] == []


def test_ci_runs_the_readme_commands() -> None:
    """What CI runs is what the README tells newcomers to run."""
    readme, script = ((ROOT / path).read_text(encoding="utf-8") for path in ("README.md", ".ci/run"))
    for command in ("make run", "make test"):
        assert re.search(rf"^{command}\b", readme, re.MULTILINE), command
        assert re.search(rf"^{command}\b", script, re.MULTILINE), command


def test_the_project_speaks_of_itself_only() -> None:
    """No path of a machine and no address of a package index is in what git tracks."""
    git = shutil.which("git") or pytest.skip("git is not installed")
    done = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    listed = done.stdout.splitlines()
    pattern = re.compile(r"(?:^|[^\w.])/(?:work|root)/|pypi\.org/simple|files\.pythonhosted")
    named = [
        path
        for path in listed
        if path
        and path != "tests/test_house.py"
        and (ROOT / path).is_file()
        and pattern.search((ROOT / path).read_text("utf-8", "ignore"))
    ]
    assert named == []
