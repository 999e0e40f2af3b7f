"""Notes: what everybody must know who uses the data, told to those who learn from them."""

from __future__ import annotations

import logging

from pointsman.data.dataset import RoutingDataset

__all__ = ["tell_notes"]

_log = logging.getLogger(__name__)


def tell_notes(dataset: RoutingDataset, learner: str) -> None:
    """Log each of a dataset's notes as a warning to those who fit a learner of this name on it."""
    for note in dict.fromkeys(dataset.notes):
        _log.warning("%s is being fitted on data that come with a note: %s", learner, note)
