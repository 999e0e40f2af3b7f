"""Domain: a table of what each model scores in each domain, and a guess of the domain where it is not given."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import Targets
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.softmax import SoftmaxRegression
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.types import Query

__all__ = ["Domain"]

Matrix = NDArray[np.float64]


class DomainState(State):
    """The domains' names, the shrunken table (domains, targets), and the classifier, None when there is nothing to tell apart."""

    models: tuple[str, ...]
    domains: tuple[str, ...]
    table: Matrix
    means: Matrix
    features: Features | None
    classifier: SoftmaxRegression | None


class Domain(Estimator):
    """Predict a model's outcomes from its averages in the query's domain, pulled towards its overall average.

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

    def fit(self, dataset: RoutingDataset) -> Self:
        """Average every model's outcomes per domain, learn to tell domains apart, and return self."""
        targets = Targets.of(dataset)
        labels = targets.data.queries.domains
        names = tuple(sorted({label for label in labels if label is not None}))
        index = {name: i for i, name in enumerate(names)}
        members = np.zeros((len(names), len(labels)))
        labelled = np.array([i for i, label in enumerate(labels) if label is not None], dtype=np.intp)
        codes = np.array([index[label] for label in labels if label is not None], dtype=np.intp)
        members[codes, labelled] = 1
        features = classifier = None
        if len(names) > 1:
            queries = targets.data.queries.take(labelled)
            features = self.features.clone().fit(queries)
            classifier = SoftmaxRegression.fit(features.transform(queries), codes, inverse_penalty=self.inverse_penalty)
        return self.with_state(
            DomainState(
                models=targets.models,
                domains=names,
                table=targets.shrunken(members, self.prior),
                means=targets.means,
                features=features,
                classifier=classifier,
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the table's averages, mixed by the domains' probabilities, for n queries."""
        state = self.fitted(DomainState)
        if not state.domains:
            return Targets.estimates(state.models, np.tile(state.means, (len(queries), 1)))
        return Targets.estimates(state.models, self.probabilities(queries) @ state.table)

    def probabilities(self, queries: Queries) -> Matrix:
        """Return how likely each query belongs to each domain, shape (n, domains), rows adding up to 1."""
        state = self.fitted(DomainState)
        index = {name: i for i, name in enumerate(state.domains)} if self.source == "given" else {}
        known = np.array([index.get(domain or "", -1) for domain in queries.domains], dtype=np.intp)
        out = np.ones((len(queries), len(state.domains)))
        guessed = np.flatnonzero(known < 0)
        if state.classifier is not None and state.features is not None and len(guessed):
            some = queries if len(guessed) == len(queries) else queries.take(guessed)
            out[guessed] = state.classifier.probabilities(state.features.transform(some))
        given = np.flatnonzero(known >= 0)
        out[given] = 0
        out[given, known[given]] = 1
        return out

    def explain(self, query: Query) -> dict[str, Any]:
        """Return the domains the query most likely belongs to, with probabilities."""
        names, row = self.fitted(DomainState).domains, self.probabilities(Queries.of(query))[0]
        order = np.argsort(-row, kind="stable")[:3]
        return {"domains": {names[i]: float(row[i]) for i in order}}
