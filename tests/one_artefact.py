"""One artefact: routers learnt from real outcomes, saved, and what the core decides with them, for every framework to match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pointsman import RoutingDataset, save
from pointsman.artifacts import load_router
from pointsman.estimators.domain import Domain
from pointsman.estimators.linear import Linear
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.policies.budget import MeanBudget
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.testing.replay_server import ReplayServer
from pointsman.types import Query, Trace

__all__ = ["FORM", "ROUTERS", "Row", "Study", "rows_of", "study_of"]

MODELS = ("gemini-1.5-pro-002", "gemini-1.5-flash-002", "Meta-Llama-3_1-70B-Instruct", "mathstral-7B", "gemma-7b")
LEARNING, ASKED = 600, 100
WORDS = Lexical(bits=12, components=16)
ROUTERS = {
    "words": EstimatedRouter(estimator=Linear(features=WORDS), policy=Utility(cost_weight=100.0)),
    "domains": EstimatedRouter(estimator=Domain(features=WORDS), policy=MeanBudget(usd=0.0003)),
}
"""One that sees nothing but words, and one that also knows whose question it is, and spends a budget."""

FORM = "[[ ## answer ## ]]\n{}\n\n[[ ## completed ## ]]"
"""A reply as DSPy's adapter asks for it; to the other frameworks it is a text like any."""

Row = tuple[str, str, float | None]
"""A query's id, the model that answered it, and the US dollars it cost."""


@dataclass(frozen=True)
class Study:
    """A saved router, questions that it has not seen, and the core's own decisions on them at the recorded costs."""

    artefact: Path
    models: Sequence[str]
    queries: Sequence[Query]
    expected: list[Row]
    asked: RoutingDataset

    def served(self) -> AbstractContextManager[ReplayServer]:
        """Serve the recorded answers of all models to these questions."""
        data, pool = self.asked, self.asked.pool
        assert data.answers is not None
        assert pool is not None
        rates = {n: (s.price.input_per_mtok, s.price.output_per_mtok) for n, s in pool.items() if s.price}
        answers = [[FORM.format(answer or "none") for answer in row] for row in data.answers]
        tokens = data.input_tokens, data.output_tokens
        return ReplayServer.from_outcomes(data.queries.texts, data.models, answers, *tokens, prices=rates)


def study_of(folder: Path, router: EstimatedRouter, artefact: Path) -> Study:
    """Fit and save the router, and let the core decide on held-out questions, offline, with what it reads back."""
    data = priced(RoutingDataset.read(folder / "mmlu_pro", embeddings=None).only(MODELS))
    times = Counter(data.queries.texts)
    once = np.flatnonzero([times[text] == 1 for text in data.queries.texts])
    order = np.random.default_rng(0).permutation(once)
    train, asked = data.take(order[:LEARNING]), data.take(order[LEARNING : LEARNING + ASKED])
    path = save(router.fit(train), artefact)
    decisions = load_router(path).decide_many(asked.queries)
    columns = [asked.models.index(name) for name in decisions.names]
    dollars = asked.cost_usd[np.arange(len(asked)), columns].tolist()
    expected = list(zip(asked.queries.ids, decisions.names, dollars, strict=True))
    return Study(path, data.models, list(asked.queries), expected, asked)


def priced(data: RoutingDataset) -> RoutingDataset:
    """Return the dataset with each model's price, solved from its tokens and costs; it must explain every cell."""
    assert data.input_tokens is not None
    assert data.output_tokens is not None
    specs = []
    for column, name in enumerate(data.models):
        tokens = np.column_stack([data.input_tokens[:, column], data.output_tokens[:, column]])
        rates, *_ = np.linalg.lstsq(tokens, data.cost_usd[:, column], rcond=None)
        into, out = np.round(rates * 1e6, 9).tolist()
        np.testing.assert_allclose(tokens @ [into / 1e6, out / 1e6], data.cost_usd[:, column], rtol=1e-9, atol=0)
        specs.append(ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out)))
    return replace(data, pool=ModelPool(specs))


def rows_of(traces: Sequence[Trace]) -> list[Row]:
    """Return what traces say of the queries, the models and the dollars; an unanswered one has no model."""
    return [
        (trace.query.id, "" if trace.answer is None else str(trace.answer.model), trace.cost_usd) for trace in traces
    ]
