"""Report: everything that was found out about routing on some data, and the page that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols import Diagnosis, LearningCurve
from pointsman.evaluation.report import Evaluation
from pointsman.report.behaviour import Behaviour
from pointsman.report.composition import Composition
from pointsman.report.domains import DomainRow
from pointsman.report.escalation import Escalation
from pointsman.report.examples import Examples
from pointsman.report.provenance import Provenance
from pointsman.report.verdict import headline
from pointsman.selection.audit import Audit

__all__ = ["Report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Whether a router pays on these data, and why; what could not be found out is None or empty, with the reason.

    Parameters:
        audit: What the outcomes say before any router is trained.
        evaluation: The router beside every baseline; None where there was no router to measure.
        learning: What the same recipe gains from fewer queries, on other splits of the data; None where nothing was fitted.
        domains: The router on each domain, the largest first.
        diagnosis: Whether its expectations come true, and whether it still chooses at other settings.
        behaviour: Where it sends queries.
        escalation: How many calls queries take, and whether accepted answers are right; None for a router that asks once.
        examples: Decisions with reasons.
        made_of: The router's parts.
        limits: What the data cannot show.
        missing: Why a part of the report is not there, by the part's name.
        provenance: Where the figures come from.
    """

    audit: Audit
    evaluation: Evaluation | None
    learning: LearningCurve | None
    domains: tuple[DomainRow, ...]
    diagnosis: Diagnosis | None
    behaviour: Behaviour | None
    escalation: Escalation | None
    examples: tuple[Examples, ...]
    made_of: Composition | None
    limits: tuple[str, ...]
    missing: Mapping[str, str]
    provenance: Provenance

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        return headline(self.audit, self.evaluation)

    def html(self) -> str:
        """Return one self-contained HTML page; the same report gives the same bytes.

        Raises:
            MissingExtraError: Without jinja2 or matplotlib.
        """
        from pointsman.report.page.report_page import report_page

        return report_page(self)

    def write(self, path: str | Path) -> Path:
        """Write the page to a file and return its path."""
        path = Path(path)
        path.write_text(self.html(), encoding="utf-8", newline="\n")
        return path

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return {"headline": self.headline} | data

    def __str__(self) -> str:
        lines = [self.headline]
        if self.evaluation is not None:
            lines.append(self.evaluation.verdict.text)
        return "\n".join([*lines, self.audit.advice.text, *self.missing.values()])
