"""RouterSelector: the choices of a LlamaIndex router engine are a router's models, and its decision is the selection."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping, Sequence
from uuid import uuid4

import numpy as np
from llama_index.core.base.base_selector import BaseSelector, SelectorResult, SingleSelection
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import ToolMetadata
from numpy.typing import NDArray

from llamaindex_router.deciding import deciding
from llamaindex_router.embedding import Embedder
from llamaindex_router.naming import names_of
from pointsman.dispatch import named_embedder
from pointsman.errors import choices as listed
from pointsman.routers.base import Router
from pointsman.types import Context, Decision, Embed, Query

__all__ = ["RouterSelector"]

_log = logging.getLogger(__name__)


class RouterSelector(BaseSelector):
    """Selects the one choice that a router decides for, with the decision's reason.

    Give it to `RouterQueryEngine` or `RouterRetriever` in place of an LLM selector: it asks no model, and emits no event
    besides LlamaIndex's own span. The query is routed on its `query_str`; an `embedding` that it brings is passed on.

    Parameters:
        router: Who decides; its models are choices, by name. A choice that is none of them, such as one that the router left
            out when it was fitted, is never selected, and a warning is logged once.
        names: The choices' names in order, as the router knows them; by default those of the tools.
        operating_point: The trade-off of every decision, in the policy's own unit; None leaves the policy's own.
        embedders: Embedding models by name, for a router that asks for a query's vector where the query brings none.

    Raises:
        ConfigError: When selecting, if one of the router's models is not among the names.

    >>> from pointsman import ModelPool, RulesRouter
    >>> selector = RouterSelector(RulesRouter(pool=ModelPool(["facts", "summary"]), default="facts"))
    >>> choices = [ToolMetadata(name=name, description="") for name in ("summary", "facts")]
    >>> selector.select(choices, "Who wrote it?").ind
    1
    """

    def __init__(
        self,
        router: Router,
        *,
        names: Sequence[str] | None = None,
        operating_point: float | None = None,
        embedders: Mapping[str, BaseEmbedding] | None = None,
    ) -> None:
        self.router = router
        self.embedders = dict(embedders or {})
        self.names = None if names is None else tuple(names)
        self.operating_point = operating_point
        self._unused: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"RouterSelector({type(self.router).__name__} over {list(self.router.models)})"

    def _select(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        names, steps = self._asked(choices, query)
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(self._embedder(wanted)(wanted.texts))
        except StopIteration as end:
            return _selection(names, end.value)

    async def _aselect(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        names, steps = self._asked(choices, query)
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(await self._embedder(wanted).aembed(wanted.texts))
        except StopIteration as end:
            return _selection(names, end.value)

    def _asked(
        self, choices: Sequence[ToolMetadata], query: QueryBundle
    ) -> tuple[list[str], Generator[Embed, NDArray[np.float64], Decision]]:
        names = names_of(choices, self.names, self.router.models)
        self._tell(frozenset(names) - set(self.router.models))
        context = Context(operating_point=self.operating_point, clock=time.time())
        return names, deciding(self.router, _query_of(query), context, embeds=bool(self.embedders))

    def _embedder(self, wanted: Embed) -> Embedder:
        return Embedder(named_embedder(self.embedders, wanted.embedder))

    def _tell(self, unused: frozenset[str]) -> None:
        """Log what is never selected, when it is not what was logged last."""
        if unused and unused != self._unused:
            among = listed(self.router.models)
            _log.warning(
                "There is the choice %s, which the router never selects; it selects from %s.", listed(unused), among
            )
        self._unused = unused

    def _get_prompts(self) -> dict[str, BasePromptTemplate]:
        return {}  # no model is asked, so there is nothing to prompt

    def _update_prompts(self, prompts_dict: Mapping[str, BasePromptTemplate]) -> None:
        del prompts_dict


def _selection(names: Sequence[str], decision: Decision) -> SelectorResult:
    return SelectorResult(selections=[SingleSelection(index=names.index(decision.model), reason=decision.reason)])


def _query_of(bundle: QueryBundle) -> Query:
    """Return the query of a bundle under an id of its own, as random draws are keyed by it."""
    vector = None if bundle.embedding is None else np.asarray(bundle.embedding, dtype=np.float64)
    return Query(text=bundle.query_str, id=uuid4().hex, embedding=vector)
