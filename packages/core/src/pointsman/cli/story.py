"""The demonstration's story: chapter by chapter, what is done and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from pointsman.cli import figures
from pointsman.cli.collect import filled
from pointsman.cli.output import table

if TYPE_CHECKING:
    from rich.console import Console

    from pointsman.data.dataset import RoutingDataset
    from pointsman.demo import Task
    from pointsman.demo.frameworks import FrameworkRun
    from pointsman.selection.auto import AutoRouter

__all__ = ["Chapter", "Story"]

_GOOD, _FAIR = 0.9, 0.4


class Chapter(NamedTuple):
    """One step: its name, its title, its result as data, and how it is shown."""

    name: str
    title: str
    data: Any
    show: Callable[[Console], None]


@dataclass(frozen=True, kw_only=True)
class Story:
    """Tasks, outcomes, audit, router, evaluation, explanation and frameworks, one from another.

    Parameters:
        count: How many tasks.
        seed: Of the tasks and of the split.
        folder: Where the outcomes and the router are written.
    """

    count: int
    seed: int
    folder: Path

    @property
    def artefact(self) -> Path:
        """Where the router is saved."""
        return self.folder / "router.pointsman"

    def chapters(self) -> Iterator[Chapter]:
        """Yield the chapters, each as soon as its work is done."""
        yield self._models()
        yield self._tasks()
        yield self._outcomes()
        yield self._audit()
        yield self._router()
        yield self._evaluation()
        yield self._explanation()
        yield self._frameworks()

    @cached_property
    def tasks(self) -> list[Task]:
        """The tasks that all programs are given."""
        from pointsman.demo import generate

        return generate(self.count, seed=self.seed)

    @cached_property
    def dataset(self) -> RoutingDataset:
        """What every program scored and cost on every task; how fast this machine is stays out of it."""
        from pointsman.demo import SCORER, pool
        from pointsman.probing import Collector, Prompt

        log = self.folder / "collection.log"
        log.unlink(missing_ok=True)
        prompts = tuple(Prompt(text=task.text, id=task.id, references=(task.answer,)) for task in self.tasks)
        collection = filled(Collector(pool=pool(), scorer=SCORER, log=log), prompts)
        return replace(collection.dataset(), latency_s=None)

    @cached_property
    def parts(self) -> tuple[RoutingDataset, ...]:
        """The outcomes to learn from, to choose settings on, and to measure with."""
        from pointsman.data.splits import grouped_split

        return grouped_split(self.dataset, random_state=self.seed)

    @cached_property
    def router(self) -> AutoRouter:
        """The router learnt from the first part."""
        from pointsman.selection.auto import AutoRouter

        return AutoRouter().fit(self.parts[0])

    def _models(self) -> Chapter:
        from pointsman.demo import PROGRAMS

        rows = [
            [name, f"{p.price.input_per_mtok:.2f}", f"{p.price.output_per_mtok:.2f}", p.about]
            for name, p in PROGRAMS.items()
        ]
        data = [dict(zip(("name", "input_per_mtok", "output_per_mtok", "about"), row, strict=True)) for row in rows]

        def show(console: Console) -> None:
            shown = [[row[0], row[3], row[1], row[2]] for row in rows]
            console.print(table("", "program", "what it can do", "$/M in", "$/M out", rows=shown, words=2))
            console.print("They work answers out of the question's text; their prices are made up.", style="dim")

        return Chapter("models", "Four programs that stand in for models", data, show)

    def _tasks(self) -> Chapter:
        first = list({task.kind: task for task in reversed(self.tasks)}.values())[::-1]
        rows = [(task.kind, task.text, task.answer) for task in first]
        title = f"{len(self.tasks):,} tasks whose answers can be checked"

        def show(console: Console) -> None:
            console.print(table("", "kind", "for example", "answer", rows=rows, words=3))

        return Chapter("tasks", title, {"count": len(self.tasks), "kinds": [task.kind for task in first]}, show)

    def _outcomes(self) -> Chapter:
        path = self.dataset.write(self.folder / "outcomes.jsonl")
        kinds = sorted({task.kind for task in self.tasks})
        kind_of = {task.id: task.kind for task in self.tasks}
        labels = [kind_of[name] for name in self.dataset.queries.ids]
        share = {
            kind: self.dataset.take([i for i, label in enumerate(labels) if label == kind]).mean_quality
            for kind in kinds
        }
        share["all"] = self.dataset.mean_quality
        models = self.dataset.models

        def show(console: Console) -> None:
            rows = [[Text(kind), *map(_shaded, values.tolist())] for kind, values in share.items()]
            console.print(table("Right answers, in %", "kind", *models, rows=rows))
            console.print(f"Written to {path}.", style="dim", markup=False)

        right = {kind: dict(zip(models, values.tolist(), strict=True)) for kind, values in share.items()}
        title = f"{self.dataset.quality.size:,} outcomes: every program answers every task"
        return Chapter("outcomes", title, {"path": str(path), "right": right}, show)

    def _audit(self) -> Chapter:
        from pointsman.selection import audit

        found = audit(self.dataset, random_state=self.seed)
        return Chapter(
            "audit", "Is a router worth it?", found.to_dict(), lambda console: figures.show_audit(found, console)
        )

    def _router(self) -> Chapter:
        found, learnt = self.router.findings(), len(self.parts[0])
        return Chapter(
            "router",
            f"A router learnt from {learnt:,} tasks",
            found.to_dict(),
            lambda console: figures.show_findings(found, console),
        )

    def _evaluation(self) -> Chapter:
        from pointsman.artifacts import save
        from pointsman.evaluation import evaluate

        train, validation, test = self.parts
        found = evaluate(self.router, test, train=train, validation=validation, random_state=self.seed)
        kept = {"held_out": figures.kept_figures(found), "findings": self.router.findings().to_dict()}
        save(self.router, self.artefact, metadata=kept)

        def show(console: Console) -> None:
            figures.show_evaluation(found, console)
            console.print(
                "Real questions tell models apart far less cleanly than these tasks do: expect less on your own data.",
                style="dim",
            )
            console.print(f"Saved to {self.artefact}.", style="dim", markup=False)

        title = f"The router beside every baseline, on {len(test):,} other tasks"
        return Chapter("evaluation", title, found.to_dict(), show)

    def _explanation(self) -> Chapter:
        from pointsman.evaluation import explain

        query = self.parts[2].queries[0]
        found = explain(self.router, query, reference=self.parts[0])

        def show(console: Console) -> None:
            console.print(Text.assemble(("Question: ", "dim"), query.text))
            console.print(str(found), markup=False)

        return Chapter("explanation", "Why one question goes where it goes", found.to_dict(), show)

    def _frameworks(self) -> Chapter:
        from pointsman.demo.frameworks import FrameworkRun, framework_runs

        answers = {task.text: task.answer for task in self.tasks}
        found = list(framework_runs(self.artefact, self.parts[2].queries.texts[:4]))

        def show(console: Console) -> None:
            if not found:
                console.print("No installed package registers a demonstration.")
            for run in found:
                if isinstance(run, FrameworkRun):
                    _show_run(run, answers, console)
                else:
                    console.print(str(run), markup=False)

        data = [run if isinstance(run, FrameworkRun) else {"missing": str(run)} for run in found]
        return Chapter("frameworks", "The same router in your framework", data, show)


def _shaded(share: float) -> Text:
    style = "green" if share >= _GOOD else "yellow" if share >= _FAIR else "red"
    return Text(f"{100 * share:.0f}", style=style)


def _show_run(run: FrameworkRun, answers: Mapping[str, str], console: Console) -> None:
    from rich.syntax import Syntax

    from pointsman.demo import final_answer

    console.print(Syntax(run.code.rstrip(), "python", theme="ansi_dark", background_color="default", word_wrap=True))
    console.print()
    rows = []
    for question, model, reply in run.exchanges:
        given = final_answer(reply)
        rows.append((question, model, given, "yes" if given == answers[question] else f"no: {answers[question]}"))
    console.print(table(run.framework, "question", "answered by", "answer", "right", rows=rows, words=4))
