"""Saboteurs of cascades: replays for free, errors that cost an answer, drafts that are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.flow import Plan, ask
from pointsman.routers.replayed import Replayed
from pointsman.testing.saboteurs.honest import NOW, HonestCascade
from pointsman.types import Answer, Call, Context, Query

__all__ = ["DropsDrafts", "ForgetsDrafts", "ShowsDrafts"]


class ForgetsDrafts(HonestCascade):
    """Counts one call per query in replays."""

    breaks: ClassVar = ("check_replays_agree",)

    def replay(
        self, dataset: RoutingDataset, points: Sequence[float | None], context: Context = NOW
    ) -> Iterator[Replayed]:
        """Replay, and forget what came before the answer."""
        for found in super().replay(dataset, points, context):
            yield replace(found, calls=np.ones_like(found.calls))


class DropsDrafts(HonestCascade):
    """Calls the large model as well, and depends on it."""

    breaks: ClassVar = ("check_answers_in_hand_survive",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call every model, come what may."""
        decision = self.decide(query, context)
        response = None
        for model in decision.ranking:
            response = yield from ask(Call(model=model, decision=decision))
        assert response is not None
        return Answer.of(response)


class ShowsDrafts(HonestCascade):
    """Shows what the small model says, and answers something else."""

    breaks: ClassVar = ("check_streamed_answers_are_final",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Stream the draft."""
        decision = self.decide(query, context)
        draft = yield from ask(Call(model=decision.model, decision=decision, stream=True))
        return replace(Answer.of(draft), support=())
