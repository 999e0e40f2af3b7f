"""One artefact in three frameworks: the same decisions and the same dollars, query by query, and they are the core's own.

The frameworks that are installed here are compared; each one's rows must equal the core's, which are the same everywhere.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from one_artefact import ROUTERS, Row, Study, rows_of, study_of

from pointsman import Dispatcher
from pointsman.artifacts import load_router
from pointsman.types import Trace

os.environ.setdefault("DSPY_CACHEDIR", mkdtemp(prefix="dspy-cache-"))  # read when dspy is imported

Ask = Callable[[Study, str], list[Trace]]


def langchain(study: Study, url: str) -> list[Trace]:
    """Ask through LangChain's RouterLLM over ChatOpenAI clients."""
    openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from langchain_router import RouterLLM

    traces: list[Trace] = []
    client: Any = {"base_url": url, "api_key": "none", "max_retries": 0}
    models = {name: openai.ChatOpenAI(model=name, **client) for name in study.models}
    llm = RouterLLM.from_artifact(study.artefact, models=models, observers=[traces.append])
    for query in study.queries:
        llm.invoke(query.text, {"metadata": {"router_query_id": query.id, "router_domain": query.domain}})
    return traces


def llamaindex(study: Study, url: str) -> list[Trace]:
    """Ask through LlamaIndex's RouterLLM over OpenAILike clients."""
    openai_like = pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")
    import httpx

    from llamaindex_router import RouterLLM, routing

    traces: list[Trace] = []
    with httpx.Client(verify=False) as http:  # noqa: S501 - no certificates to read for a server on this machine
        client: Any = {"api_base": url, "api_key": "none", "is_chat_model": True, "max_retries": 0, "http_client": http}
        models = {name: openai_like.OpenAILike(model=name, **client) for name in study.models}
        llm = RouterLLM.from_artifact(study.artefact, models=models, observers=[traces.append])
        for query in study.queries:
            with routing(query_id=query.id, domain=query.domain):
                llm.complete(query.text)
    return traces


def lms_of(study: Study, url: str) -> dict[str, Any]:
    """Return DSPy's clients."""
    dspy = pytest.importorskip("dspy", reason="dspy is not installed")
    client: Any = {"api_base": url, "api_key": "none", "num_retries": 0, "cache": False}
    return {name: dspy.LM(f"openai/{name}", **client) for name in study.models}


def dspy_calls(study: Study, url: str) -> list[Trace]:
    """Ask DSPy's RouterLM over dspy.LM clients."""
    lms = lms_of(study, url)
    import dspy

    from dspy_router import RouterLM

    traces: list[Trace] = []
    lm = RouterLM(lms, dispatcher=Dispatcher(load_router(study.artefact), observers=[traces.append]))
    for query in study.queries:
        with dspy.context(router_query_id=query.id, router_domain=query.domain):
            lm(query.text)
    return traces


def dspy_predictions(study: Study, url: str) -> list[Trace]:
    """Ask through a RoutedPredict, whose prompt says more than the question, over dspy.LM clients."""
    lms = lms_of(study, url)
    import dspy

    from dspy_router import RoutedPredict, RouterLM

    traces: list[Trace] = []
    lm = RouterLM(lms, dispatcher=Dispatcher(load_router(study.artefact), observers=[traces.append]))
    predict = RoutedPredict("question -> answer", lm)
    for query in study.queries:
        with dspy.context(router_query_id=query.id, router_domain=query.domain):
            predict(question=query.text)
    return traces


ASKS: dict[str, Ask] = {ask.__name__: ask for ask in (langchain, llamaindex, dspy_calls, dspy_predictions)}


@pytest.fixture(scope="module", params=ROUTERS)
def study(request: pytest.FixtureRequest, outcome_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a router that was learnt from MMLU-Pro and saved, with the core's decisions on 100 other questions."""
    return study_of(outcome_data, ROUTERS[request.param], tmp_path_factory.mktemp("one") / "router.pointsman")


def test_the_questions_need_routing(study: Study) -> None:
    """The core itself sends the hundred questions to at least two models, ten or more to each."""
    shares = Counter(model for _, model, _ in study.expected)
    assert len(study.expected) == 100
    assert sum(count >= 10 for count in shares.values()) >= 2, shares


@pytest.mark.parametrize("framework", ASKS)
def test_a_framework_decides_and_pays_as_the_core(study: Study, framework: str) -> None:
    """Every query's model is the core's and its dollars are the recorded ones; the server's books say the same."""
    with study.served() as server:
        rows = rows_of(ASKS[framework](study, server.url))
        booked = [(entry.model, entry.cost_usd) for entry in server.ledger]
    assert decided(rows) == decided(study.expected)
    assert [cost for *_, cost in rows] == pytest.approx([cost for *_, cost in study.expected], rel=1e-9, abs=0)
    assert booked == [(model, pytest.approx(cost, rel=1e-9, abs=0)) for _, model, cost in study.expected]


def decided(rows: list[Row]) -> list[tuple[str, str]]:
    """Return which query went to which model."""
    return [(query_id, model) for query_id, model, _ in rows]
