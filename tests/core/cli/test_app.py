"""The application: help, exit codes and error messages, in this process and in real ones."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pointsman.cli.app import _COMMANDS
from pointsman.errors import PointsmanError

if TYPE_CHECKING:
    from conftest import Commands, World

COMMAND = (sys.executable, "-c", "from pointsman.cli import main; main()")


def process(*args: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [*COMMAND, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_explains_itself_with_an_example(run: Commands, command: str) -> None:
    """`--help` succeeds, shows an example that begins as the user would type it, and offers JSON."""
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"  pointsman {command}" in result.stdout
    assert "--json" in result.stdout


def test_help_lists_every_command_with_a_summary(run: Commands) -> None:
    """Each command stands in the list with words of its own."""
    text = run("--help").stdout.partition("Examples:")[0]
    listed = {
        line.split()[0]: line.split()[1:] for line in text[text.index("Commands:") :].splitlines()[1:] if line.strip()
    }
    assert set(listed) == set(_COMMANDS)
    assert all(listed.values())


@pytest.mark.parametrize(
    "args", [["nonsense"], ["route"], ["route", "x", "y", "--wrong"], ["fit", "x", "--column", "score"]]
)
def test_a_command_written_wrongly_exits_with_2(run: Commands, args: list[str]) -> None:
    """Usage errors go to stderr and leave stdout empty."""
    result = run(*args)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "args",
    [
        ["route", "missing.pointsman", "hello"],
        ["card", "missing.pointsman"],
        ["explain", "missing.pointsman", "hello"],
        ["evaluate", "missing.pointsman", "missing.csv"],
        ["audit", "missing.csv"],
        ["compare", "missing.jsonl"],
        ["stress", "missing.csv"],
        ["fit", "missing.csv"],
        ["models", "missing.toml"],
    ],
)
def test_a_missing_file_is_one_sentence_that_names_it(run: Commands, args: list[str]) -> None:
    """The error is on stderr, names the file, and is no traceback."""
    result = run(*args)
    assert result.exit_code == 1
    assert args[1] in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_real_process_fails_without_a_traceback(tmp_path: Path) -> None:
    """A damaged artefact ends a process with 1 and a sentence."""
    damaged = tmp_path / "router.pointsman"
    damaged.write_bytes(b"not a zip archive")
    done = process("route", damaged, "hello")
    assert done.returncode == 1
    assert str(damaged) in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_defect_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch, world: World, run: Commands) -> None:
    """Only errors that are meant for the user become a sentence; any other is raised."""

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pointsman.cli.route.load_router", broken)
    with pytest.raises(ZeroDivisionError):
        run("route", world.artefact, "hello")
    assert not issubclass(ZeroDivisionError, PointsmanError)


@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal that Ctrl-C sends on POSIX")
def _wait_until_calm(pid: int) -> None:
    """Wait three seconds, and until a process has used no time for a second and a half: it waits for input then."""
    stat, calm, before = Path(f"/proc/{pid}/stat"), 0, ""
    time.sleep(3)
    while stat.exists() and calm < 15:
        time.sleep(0.1)
        state, *rest = stat.read_text().rpartition(")")[2].split()
        used = " ".join(rest[10:12])  # ticks in user and kernel mode
        calm = calm + 1 if used == before and state == "S" else 0
        before = used


def test_ctrl_c_ends_cleanly_with_130(world: World) -> None:
    """An interrupt while the command waits for stdin is one word and the shell's exit code."""
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"  # tests in the background ignore it
        "import pointsman.cli.route\nfrom pointsman.cli import main\nprint('ready', flush=True)\nmain()"
    )
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code, "route", str(world.artefact), "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as waiting:  # fmt: skip
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "ready\n"
        _wait_until_calm(waiting.pid)
        waiting.send_signal(signal.SIGINT)
        try:
            waiting.wait(timeout=20)  # with its input still open: the end of it would be an answer
        except subprocess.TimeoutExpired:
            waiting.kill()
        _, errors = waiting.communicate()
        assert (waiting.returncode, errors.strip()) == (130, "Interrupted.")


def test_help_is_fast_and_loads_nothing_heavy() -> None:
    """`--help` imports neither NumPy, scikit-learn, pydantic nor rich, and so takes a fraction of a second."""
    heavy = "{'numpy', 'sklearn', 'pydantic', 'rich', 'langchain_core'}"
    code = (
        "import sys\nfrom pointsman.cli import main\n"
        f"try:\n    main(['--help'])\nexcept SystemExit:\n    print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stderr.strip() == "[]"
    assert time.perf_counter() - begun < 5  # the bound that matters is the list above; this one catches a hang


@pytest.mark.parametrize(
    "command", [["audit"], ["collect", "--models", "models.toml", "--metric", "exact"]], ids=["outcomes", "prompts"]
)
def test_columns_are_named_as_they_are_typed(run: Commands, tmp_path: Path, command: list[str]) -> None:
    """A missing column, or a field that there is not, is told in terms of `--column`, with the names that there are."""
    file = tmp_path / "rows.csv"
    file.write_text("question,model,quality\nhi,m,1\n")
    missing = run(*command, file)
    assert missing.exit_code == 1
    assert "has no column 'text'; it has 'model', 'quality', 'question'" in missing.stderr
    assert "--column text=YOUR_NAME" in missing.stderr
    unknown = run(*command, file, "--column", "txt=question")
    assert unknown.exit_code == 1
    assert "--column maps unknown field 'txt'; known are " in unknown.stderr
    assert "'text'" in unknown.stderr
    assert "columns=" not in missing.stderr + unknown.stderr
