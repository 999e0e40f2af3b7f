"""RouterSelector: a router's decision is LlamaIndex's selection, in every engine that takes a selector."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")

from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import CustomQueryEngine, RouterQueryEngine
from llama_index.core.retrievers import BaseRetriever, RouterRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import QueryEngineTool, RetrieverTool, ToolMetadata

from llamaindex_router import RouterSelector
from pointsman.errors import ConfigError, NoEligibleModelError
from pointsman.models import ModelPool, ModelSpec
from pointsman.routers.base import Router
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.types import Context, Decision, Query

NAMES = ("facts", "summary")


class Echo(CustomQueryEngine):
    """Answers with its own name."""

    name: str

    def custom_query(self, query_str: str) -> str:
        """Answer."""
        return f"{self.name}: {query_str}"


class Shelf(BaseRetriever):
    """Retrieves one node with its own name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text=f"{self.name}: {query_bundle.query_str}"), score=1.0)]


class Seen(BaseEventHandler):
    """Keeps the names of the events it gets."""

    names: list[str] = []  # noqa: RUF012 - pydantic copies it

    def handle(self, event: Any, **_: Any) -> None:
        """Keep the event's name."""
        self.names.append(type(event).__name__)


class ByVector(Router):
    """Sends a query to the model at the greatest coordinate of its embedding."""

    @property
    def models(self) -> ModelPool:
        """The two choices."""
        return ModelPool(NAMES)

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Decide by the embedding."""
        assert query.embedding is not None
        model = NAMES[int(np.argmax(query.embedding))]
        return Decision(model=model, ranking=(model,), reason=f"{query.embedding.dtype} {query.embedding.max():g}")


def by_rule(names: tuple[str, ...] = NAMES) -> RulesRouter:
    """Return a router that sends overviews to the last choice and all else to the first."""
    rules = (Rule(model=names[-1], contains=("overview",)),)
    return RulesRouter(pool=ModelPool(names), default=names[0], rules=rules)


def tools(*names: str | None) -> list[ToolMetadata]:
    """Return choices of these names."""
    return [ToolMetadata(name=name, description=f"the {name}") for name in names]


def engine(selector: RouterSelector, order: tuple[str, ...] = NAMES) -> RouterQueryEngine:
    """Return a router engine over echoes, in this order."""
    made = [QueryEngineTool.from_defaults(Echo(name=name), name=name, description="") for name in order]
    return RouterQueryEngine.from_defaults(query_engine_tools=made, selector=selector, llm=MockLLM())


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1]], ids=str)
@pytest.mark.parametrize(("question", "chosen"), [("Who wrote it?", "facts"), ("An overview, please.", "summary")])
async def test_the_engine_asks_whom_the_router_chose(order: tuple[str, ...], question: str, chosen: str) -> None:
    """Whatever the order of the tools, and whether awaited or not, the named engine answers, and the reason is kept."""
    asked = engine(RouterSelector(by_rule()), order)
    for response in (asked.query(question), await asked.aquery(question)):
        assert str(response) == f"{chosen}: {question}"
        result = response.metadata["selector_result"]
        assert order[result.ind] == chosen
        assert result.reason == by_rule().decide(Query(text=question)).reason


async def test_the_retriever_asks_whom_the_router_chose() -> None:
    """RouterRetriever goes by the selection too; tools without names of their own are named in order."""
    shelves = [RetrieverTool.from_defaults(Shelf(name), description=name) for name in ("first", "second")]
    selector = RouterSelector(by_rule(), names=NAMES)
    retriever = RouterRetriever(selector, shelves, llm=MockLLM())
    assert [node.text for node in retriever.retrieve("an overview")] == ["second: an overview"]
    assert [node.text for node in await retriever.aretrieve("else")] == ["first: else"]


def test_no_event_is_emitted() -> None:
    """Selecting emits no event: no model is asked and nothing is embedded, so an engine's own events are all there are."""
    seen, dispatcher = Seen(), get_dispatcher()
    dispatcher.add_event_handler(seen)
    try:
        RouterSelector(by_rule()).select(tools(*NAMES), "hi")
        assert seen.names == []
        engine(RouterSelector(by_rule())).query("hi")
        assert set(seen.names) == {"QueryStartEvent", "QueryEndEvent"}
    finally:
        dispatcher.event_handlers.remove(seen)


@pytest.mark.parametrize("vector", [[1.0, 0.5], [0.25, 2.0]], ids=str)
def test_an_embedding_is_passed_on(vector: list[float]) -> None:
    """A bundle's own vector reaches the router, whatever its text."""
    bundle = QueryBundle("hi", embedding=vector)
    result = RouterSelector(ByVector()).select(tools(*NAMES), bundle)
    assert (result.ind, result.reason) == (int(np.argmax(vector)), f"float64 {max(vector):g}")


def test_the_operating_point_is_passed_on() -> None:
    """The trade-off given to the selector is that of the decision, and every query has an id of its own."""
    seen: list[tuple[str, Context]] = []

    class Watched(ByVector):
        def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
            seen.append((query.id, context))
            return Decision(model="facts", ranking=("facts",))

    for point in (None, 0.5):
        RouterSelector(Watched(), operating_point=point).select(tools(*NAMES), "hi")
    assert [context.operating_point for _, context in seen] == [None, 0.5]
    assert all(context.clock is not None for _, context in seen)
    assert len({query_id for query_id, _ in seen} - {""}) == 2


MISMATCHES = {
    "lacking": (tools("facts"), None, r"may choose 'summary', which is not offered \(there is 'facts'\)"),
    "both": (tools("facts", "sums"), None, r"'summary', .* \(there is 'facts', 'sums'\)"),
    "nameless": (tools("facts", None), None, r"The choices at \[1\] have no name; .*names=\["),
    "repeated": (tools("facts", "facts"), None, "More than one choice is named 'facts'"),
    "misnamed": (tools("a", "b"), ("facts", "sums"), "'sums'"),
    "uncounted": (tools("a", "b"), ("facts",), r"has 1 names \('facts'\) for 2 choices"),
}


@pytest.mark.parametrize("case", MISMATCHES)
async def test_what_does_not_match_is_listed(case: str) -> None:
    """Choices that lack one of the router's models are an error that names it, awaited or not."""
    choices, names, message = MISMATCHES[case]
    selector = RouterSelector(by_rule(), names=names)
    with pytest.raises(ConfigError, match=message):
        selector.select(choices, "hi")
    with pytest.raises(ConfigError, match=message):
        await selector.aselect(choices, "hi")


def test_choices_that_the_router_never_selects_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A choice that the router left out may be offered: it is not selected, and one warning names it."""
    selector = RouterSelector(by_rule())
    for _ in range(2):
        assert selector.select(tools("images", "facts", "summary"), "an overview").ind == 2
    told = "There is the choice 'images', which the router never selects; it selects from 'facts', 'summary'."
    assert caplog.messages == [told]


def test_nameless_texts_need_names() -> None:
    """LlamaIndex's choices in plain text have no names, until the selector gives them."""
    with pytest.raises(ConfigError, match="have no name"):
        RouterSelector(by_rule()).select(["this", "that"], "hi")
    assert RouterSelector(by_rule(), names=NAMES).select(["this", "that"], "an overview").ind == 1


def test_the_routers_own_errors_pass() -> None:
    """When no choice can serve the query, the router says why."""
    pool = ModelPool(ModelSpec(name=name, context_window=1) for name in NAMES)
    with pytest.raises(NoEligibleModelError, match="exceed its context window"):
        RouterSelector(RulesRouter(pool=pool, default="facts")).select(tools(*NAMES), "far too long a question")


def test_there_is_nothing_to_prompt() -> None:
    """The selector takes part in LlamaIndex's reading and setting of prompts, and has none."""
    selector = RouterSelector(by_rule())
    selector.update_prompts({})
    assert selector.get_prompts() == {}
    assert repr(selector) == "RouterSelector(RulesRouter over ['facts', 'summary'])"


def test_the_docstring_runs() -> None:
    """The example in the selector's docstring is true."""
    import llamaindex_router.selector as module

    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
