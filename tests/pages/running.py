"""Running: a page's Python and its `pointsman` commands in order, in one namespace; what it shows is what they print."""

from __future__ import annotations

import doctest
import io
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from pages.reading import Block, blocks

__all__ = ["Run", "run_page"]


@dataclass
class Run:
    """What came of a page.

    Parameters:
        names: The namespace that its blocks shared.
        printed: What its Python printed, block by block.
        ran: How many blocks were run.
        missing: Modules for want of which others were not.
        replaced: The lines, by first and last, that the page shows and the code did not print, with what it printed.
    """

    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})
    printed: list[str] = field(default_factory=list)
    ran: int = 0
    missing: set[str] = field(default_factory=set)
    replaced: list[tuple[int, int, list[str]]] = field(default_factory=list)

    def written(self, text: str) -> str:
        """Return the page with what its code printed in the place of what it showed."""
        lines = text.splitlines()
        for first, last, printed in sorted(self.replaced, reverse=True):
            lines[first:last] = printed
        return "".join(f"{line}\n" for line in lines)

    def problems(self, page: Path) -> str:
        """Say where the page shows something else than its code prints; nothing if nowhere."""
        return "\n".join(f"{page.name}:{first + 1} prints\n" + "\n".join(new) for first, _, new in self.replaced)


def run_page(page: Path) -> Run:
    """Run a page in the current folder; an exception of its code, or a command that fails, is raised."""
    run, found = Run(), blocks(page.read_text(encoding="utf-8"))
    for block, after in zip(found, [*found[1:], None][: len(found)], strict=True):
        if block.language not in ("python", "console"):
            continue
        if lacking := {name for name in block.requires if not _installed(name)}:
            run.missing |= lacking
            continue
        if block.language == "console":
            _commands(run, page, block)
        elif block.code.lstrip().startswith(">>>"):
            _session(run, page, block)
        else:
            _script(run, page, block, after)
    return run


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package
        return False


def _script(run: Run, page: Path, block: Block, after: Block | None) -> None:
    """Run code; a text block right after it shows what is printed."""
    code = compile("\n" * block.first + block.code, str(page), "exec")
    with redirect_stdout(io.StringIO()) as printed:
        exec(code, run.names)  # noqa: S102 - our own pages
    run.ran += 1
    run.printed.append(printed.getvalue())
    if after is not None and after.adjoining and after.language == "text":
        _compare(run, after.first, after.lines, printed.getvalue())


def _session(run: Run, page: Path, block: Block) -> None:
    """Run what is typed at a prompt, and compare each answer."""
    test = doctest.DocTestParser().get_doctest(block.code, run.names, page.name, str(page), block.first)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.write, clear_globs=False)
    if runner.failures:
        raise AssertionError(report.getvalue())
    run.names.update(test.globs)
    run.ran += 1


def _commands(run: Run, page: Path, block: Block) -> None:
    """Run `$ pointsman` lines; those below one, if any, show what it prints. Other programs' lines are left alone."""
    from pointsman.cli import main

    for command, first, shown in _prompts(block):
        words = shlex.split(command)
        if words[0] != "pointsman":
            continue
        done = CliRunner().invoke(main, words[1:], env={"COLUMNS": "110"})
        if done.exit_code != 0:
            said = f"{page.name}:{first}: {command} exits with {done.exit_code}\n{done.output}"
            raise AssertionError(said) from done.exception
        run.ran += 1
        if shown:
            _compare(run, first, shown, done.output)


def _prompts(block: Block) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield each command with the number of the line after it and the lines up to the next command."""
    starts = [i for i, line in enumerate(block.lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(block.lines)], strict=True):
        yield block.lines[start][2:], block.first + start + 1, block.lines[start + 1 : end]


def _compare(run: Run, first: int, shown: tuple[str, ...], printed: str) -> None:
    """Note the lines that are not as shown; `...` stands for anything."""
    new = [line.rstrip() for line in printed.strip("\n").splitlines()]
    wanted = "\n".join(line.rstrip() for line in shown) + "\n"
    if not doctest.OutputChecker().check_output(wanted, "\n".join(new) + "\n", doctest.ELLIPSIS):
        run.replaced.append((first, first + len(shown), new))
