"""Domain: a table of what each model scores in each domain, and a guess of the domain where it is not given."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import shrunken_means, training_data
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.softmax import SoftmaxRegression
from pointsman.estimators.spending import Spending
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.types import Query

__all__ = ["Domain"]

Matrix = NDArray[np.float64]


class DomainState(State):
    """The domains' names, the shrunken table (domains, m), and the classifier, None when there is nothing to tell apart."""

    models: tuple[str, ...]
    domains: tuple[str, ...]
    table: Matrix
    features: Features
    classifier: SoftmaxRegression | None
    spending: Spending


class Domain(Estimator):
    """Predict a model's quality from its averages in the query's domain, pulled towards its overall average.

    Where the domain is unknown it is predicted from the text, softly: the averages are mixed by the domains' probabilities.
    Much of what routing gains is this table ("The Routing Plateau", arXiv 2606.07587).

    Parameters:
        features: What the domain is predicted from; cloned by `fit`.
        source: "given" uses a query's own domain where it was seen in training and predicts it otherwise; "predicted" always
            predicts.
        prior: Pseudo-queries per domain that score the model's overall mean.
        inverse_penalty: C of the domain classifier; larger fits closer.
    """

    tags = Tags(how=frozenset({"supervised"}))

    features: Features = Lexical()
    source: Literal["given", "predicted"] = "given"
    prior: Annotated[float, Ge(0)] = 20.0
    inverse_penalty: Annotated[float, Gt(0)] = 20.0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that takes domains as given, and one that predicts them all."""
        words = Lexical(bits=10, components=8)
        return cls(features=words, prior=1.0), cls(features=words, prior=1.0, source="predicted")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Average every model's outcomes per domain, learn to tell domains apart, and return self."""
        data = training_data(dataset)
        labels = data.queries.domains
        names = tuple(sorted({label for label in labels if label is not None})) or ("",)
        index = {name: i for i, name in enumerate(names)}
        members = np.zeros((len(names), len(labels)))
        labelled = np.array([i for i, label in enumerate(labels) if label is not None], dtype=np.intp)
        codes = np.array([index[label] for label in labels if label is not None], dtype=np.intp)
        members[codes, labelled] = 1
        features = self.features.clone()
        rows = features.fit_transform(data.queries)
        classifier = None
        if len(names) > 1:
            classifier = SoftmaxRegression.fit(rows[labelled], codes, inverse_penalty=self.inverse_penalty)
        return self.with_state(
            DomainState(
                models=data.models,
                domains=names,
                table=shrunken_means(members, data.quality, data.mean_quality, self.prior),
                features=features,
                classifier=classifier,
                spending=Spending.fit(rows, data),
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the table's averages, mixed by the domains' probabilities, for n queries."""
        state = self.fitted(DomainState)
        rows = state.features.transform(queries)
        cost, latency = state.spending.predict(rows, queries)
        quality = self._probabilities(rows, queries, state) @ state.table
        return Estimates(models=state.models, quality=quality, cost_usd=cost, latency_s=latency)

    def predict_quality(self, queries: Queries) -> Matrix:
        """Return the expected quality alone, shape (n, m)."""
        return self.probabilities(queries) @ self.fitted(DomainState).table

    def basis(self, queries: Queries) -> Matrix:
        """Return the probabilities of the domains."""
        return self.probabilities(queries)

    def coefficients(self) -> tuple[Matrix, Matrix]:
        """Return the table of averages."""
        table = self.fitted(DomainState).table
        return table, np.zeros(table.shape[1])

    def probabilities(self, queries: Queries) -> Matrix:
        """Return how likely each query belongs to each domain, shape (n, domains), rows adding up to 1."""
        state = self.fitted(DomainState)
        return self._probabilities(state.features.transform(queries), queries, state)

    def _probabilities(self, rows: Matrix, queries: Queries, state: DomainState) -> Matrix:
        if self.source == "predicted" and state.classifier is not None:
            return state.classifier.probabilities(rows)
        index = {name: i for i, name in enumerate(state.domains)} if self.source == "given" else {}
        known = np.array([index.get(domain or "", -1) for domain in queries.domains], dtype=np.intp)
        out = np.ones((len(queries), len(state.domains)))
        guessed = np.flatnonzero(known < 0)
        if state.classifier is not None:
            out[guessed] = state.classifier.probabilities(rows[guessed])
        given = np.flatnonzero(known >= 0)
        out[given] = 0
        out[given, known[given]] = 1
        return out

    def explain(self, query: Query) -> dict[str, Any]:
        """Return the domains the query most likely belongs to, with probabilities; {} where there is but one."""
        names, row = self.fitted(DomainState).domains, self.probabilities(Queries.of(query))[0]
        if len(names) < 2:  # noqa: PLR2004 - one domain tells nothing
            return {}
        order = np.argsort(-row, kind="stable")[:3]
        return {"domains": {names[i]: float(row[i]) for i in order}}
