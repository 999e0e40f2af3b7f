"""Notes: who fits a router on data that come with some is told, once a fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.routers.estimated import EstimatedRouter
from pointsman.selection.auto import AutoRouter
from pointsman.testing.toys import toy


@pytest.mark.parametrize("router", [EstimatedRouter.examples()[1], AutoRouter.examples()[0]])
def test_a_fit_tells_each_note_once(router: EstimatedRouter, caplog: pytest.LogCaptureFixture) -> None:
    """However many folds and members there are, a note is one warning of the library's logger; without notes all is silent."""
    router.clone().fit(toy())
    assert caplog.records == []
    router.clone().fit(replace(toy(), notes=("Training is banned.", "Training is banned.", "Ask first.")))
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert [record.name.split(".")[0] for record in caplog.records] == ["pointsman", "pointsman"]
    name = type(router).__name__
    assert caplog.messages == [
        f"{name} is being fitted on data that come with a note: {note}"
        for note in ("Training is banned.", "Ask first.")
    ]
