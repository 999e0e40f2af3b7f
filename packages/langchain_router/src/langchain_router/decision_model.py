"""PointsmanDecisionModel: a router as one of LangChain's decision models, local, free and calibrated."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from langchain_core.embeddings import Embeddings
from pydantic import ConfigDict, Field, SkipValidation

from langchain_router.conversation import turns_of
from langchain_router.embedding import embedded
from langchain_router.routes import Question as Where
from langchain_router.routes import question_in, spoken_in
from pointsman.artifacts import load_router
from pointsman.errors import ConfigError, choices
from pointsman.routers.base import Router
from pointsman.routers.sureness import choice_shares
from pointsman.types import Constraints, Context, Decision, Embed, Query

try:
    from langchain_core.decisions import BaseDecisionModel, Choice, ChoiceAnswer, ClassifierResponse
except ModuleNotFoundError as missing:
    raise ImportError(
        "PointsmanDecisionModel needs langchain-core 1.8 or later, which has decision models; "
        f"{version('langchain-core')} is installed."
    ) from missing

__all__ = ["PointsmanDecisionModel"]


class PointsmanDecisionModel(BaseDecisionModel):
    """Answers LangChain's `Choice` questions whose labels are models of a router, such as `ModelRouterMiddleware` asks.

    It calls nobody. `probabilities` are how often the router would choose each label, over the draws of what it knows; where
    it holds none, its policy's own: 1 for the choice of a policy without chance. `confidence` is the quality expected of the
    chosen model, which is calibrated on the outcomes it learnt from; where nothing is expected, as with rules, it is the
    choice's probability. Descriptions of labels are not read: outcomes, not words, say who is good at what.

    Parameters:
        router: Who chooses; any fitted pointsman router.
        model: The name it goes by in traces.
        operating_point: The trade-off, in the policy's own unit; None leaves the router's own.
        question: Where the question is in the state: its key, or a function of it; by default as for RouteRunnable.
        embedders: LangChain embeddings by name, for routers that ask for vectors.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    router: SkipValidation[Router] = Field(exclude=True, repr=False)
    model: str = "pointsman"
    operating_point: float | None = None
    question: SkipValidation[Where | None] = Field(default=None, exclude=True)
    embedders: SkipValidation[dict[str, Embeddings]] = Field(default_factory=dict, exclude=True)

    @classmethod
    def from_artifact(cls, path: str | Path, **settings: Any) -> Self:
        """Return one with the router that was saved at `path`; everything else is as at construction.

        Raises:
            ArtifactError: If the file is missing, damaged or too new.
            ConfigError: If it holds something other than a router.
        """
        return cls(router=load_router(path), **settings)

    @property
    def _provider(self) -> str:
        return "pointsman"

    def _classify(self, state: Any, questions: dict[str, Any]) -> ClassifierResponse:
        text = question_in(state, self.question)
        answers: dict[str, Any] = {name: self._answer(name, text, state, one) for name, one in questions.items()}
        return ClassifierResponse(model=self.model, answers=answers)

    async def _aclassify(self, state: Any, questions: dict[str, Any]) -> ClassifierResponse:
        if self.embedders:
            return await super()._aclassify(state, questions)
        return self._classify(state, questions)  # well under what a change of threads would take

    def _answer(self, name: str, text: str, state: Any, question: Any) -> ChoiceAnswer:
        query = self._query(name, text, state, question)
        context = Context(operating_point=self.operating_point)
        decision = self.router.decide(query, context)
        shares = choice_shares(self.router, query, context) or _of_policy(decision)
        estimate = decision.estimates.get(decision.model)
        expected = estimate.quality if estimate is not None else None
        return ChoiceAnswer(
            type="choice",
            choice=decision.model,
            probabilities={label: shares.get(label, 0.0) for label in question.criteria},
            confidence=shares[decision.model] if expected is None else expected,
        )

    def _query(self, name: str, text: str, state: Any, question: Any) -> Query:
        if not isinstance(question, Choice):
            raise ConfigError(
                f"Question {name!r} is a {type(question).__name__}; a router answers Choice questions alone."
            )
        labels, models = frozenset(question.criteria), frozenset(self.router.models)
        if unknown := labels - models:
            raise ConfigError(
                f"Question {name!r} has {choices(unknown)}, which the router never chooses; it chooses from "
                f"{choices(models)}."
            )
        allow = None if labels == models else labels
        query = Query(text=text, messages=turns_of(spoken_in(state)), constraints=Constraints(allow=allow))
        embedder = getattr(self.router, "embedder", None)
        if embedder is None:
            return query
        (vector,) = embedded(self.embedders, Embed(embedder=embedder, texts=(text,)))
        return replace(query, embedding=np.array(vector))


def _of_policy(decision: Decision) -> dict[str, float]:
    """Return the choice's own propensity, and what is left of 1 in equal parts for those that stand by."""
    others = decision.ranking[1:]
    rest = (1.0 - decision.propensity) / len(others) if others else 0.0
    return {**dict.fromkeys(others, rest), decision.model: decision.propensity if others else 1.0}
