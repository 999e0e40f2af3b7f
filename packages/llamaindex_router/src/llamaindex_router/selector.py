"""RouterSelector: the choices of a LlamaIndex router engine are a router's models, and its decision is the selection."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

import numpy as np
from llama_index.core.base.base_selector import BaseSelector, SelectorResult, SingleSelection
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import ToolMetadata

from llamaindex_router.naming import names_of
from pointsman.errors import choices as listed
from pointsman.routers.base import Router
from pointsman.types import Context, Query

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

    Raises:
        ConfigError: When selecting, if one of the router's models is not among the names.

    >>> from pointsman import ModelPool, RulesRouter
    >>> selector = RouterSelector(RulesRouter(pool=ModelPool(["facts", "summary"]), default="facts"))
    >>> choices = [ToolMetadata(name=name, description="") for name in ("summary", "facts")]
    >>> selector.select(choices, "Who wrote it?").ind
    1
    """

    def __init__(
        self, router: Router, *, names: Sequence[str] | None = None, operating_point: float | None = None
    ) -> None:
        self.router = router
        self.names = None if names is None else tuple(names)
        self.operating_point = operating_point
        self._unused: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"RouterSelector({type(self.router).__name__} over {list(self.router.models)})"

    def _select(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        names = names_of(choices, self.names, self.router.models)
        self._tell(frozenset(names) - set(self.router.models))
        context = Context(operating_point=self.operating_point, clock=time.time())
        decision = self.router.decide(_query_of(query), context)
        chosen = SingleSelection(index=names.index(decision.model), reason=decision.reason)
        return SelectorResult(selections=[chosen])

    def _tell(self, unused: frozenset[str]) -> None:
        """Log what is never selected, when it is not what was logged last."""
        if unused and unused != self._unused:
            among = listed(self.router.models)
            _log.warning(
                "There is the choice %s, which the router never selects; it selects from %s.", listed(unused), among
            )
        self._unused = unused

    async def _aselect(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        return self._select(choices, query)  # a decision waits for nothing

    def _get_prompts(self) -> dict[str, BasePromptTemplate]:
        return {}  # no model is asked, so there is nothing to prompt

    def _update_prompts(self, prompts_dict: Mapping[str, BasePromptTemplate]) -> None:
        del prompts_dict


def _query_of(bundle: QueryBundle) -> Query:
    """Return the query of a bundle under an id of its own, as random draws are keyed by it."""
    vector = None if bundle.embedding is None else np.asarray(bundle.embedding, dtype=np.float64)
    return Query(text=bundle.query_str, id=uuid4().hex, embedding=vector)
