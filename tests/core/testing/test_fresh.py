"""Fresh processes: what a new interpreter finds, component by component, and what it may not import."""

from __future__ import annotations

from pointsman.testing.cases import case_of
from pointsman.testing.fresh import FreshProcess
from pointsman.testing.saboteurs.honest import HonestEstimator, HonestRouter
from pointsman.testing.saboteurs.hygiene import ImportsForFun
from pointsman.testing.saboteurs.persistence import HoardsObjects


def test_one_process_tries_all_cases_and_keeps_their_failures_apart() -> None:
    """Good components behave, what cannot be saved or imported is reported, and a forbidden import is on record."""

    class Local(HonestEstimator):
        """A component that no other process can import."""

    process = FreshProcess()
    cases = [case_of(made(), process) for made in (HonestRouter, ImportsForFun, HoardsObjects, Local)]
    honest, importing, hoarding, local = (process.reply(case) for case in cases)
    assert honest == {"behaviour": cases[0].does(), "error": None, "refused": []}
    assert importing["error"] is None
    assert importing["refused"] == ["sklearn"] * len(importing["refused"])
    assert importing["refused"]
    assert "cannot be fitted and saved" in str(hoarding["error"])
    assert local["behaviour"] is None
    assert "<locals>" in str(local["error"])


def test_the_process_is_started_once() -> None:
    """A second question is answered from the first run."""
    case = case_of(HonestEstimator())
    assert case.process.reply(case) is case.process.reply(case)
