"""The program that `test_end_to_end_mmlu_pro` runs in a process of its own: a chain around a router read from a file.

It reads one JSON object (artifact, url, questions) and writes one: the chain's answers, the traces' models and dollars, and
what LangChain's own callback counted.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from langchain_router import RouterLLM
from pointsman.artifacts import load
from pointsman.types import Trace


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer the questions through `prompt | RouterLLM | parser`."""
    names = load(asked["artifact"]).models  # type: ignore[attr-defined]
    models = {name: ChatOpenAI(model=name, base_url=asked["url"], api_key="none", max_retries=0) for name in names}
    traces: dict[str, Trace] = {}

    def keep(trace: Trace) -> None:
        traces[trace.query.id] = trace

    llm = RouterLLM.from_artifact(asked["artifact"], models=models, observers=[keep])
    prompt = ChatPromptTemplate.from_messages([("system", "Answer with one letter."), ("human", "{question}")])
    chain = prompt | llm | StrOutputParser()
    with get_usage_metadata_callback() as counted:
        answers = [
            chain.invoke({"question": text}, {"metadata": {"router_query_id": id_}}) for id_, text in asked["questions"]
        ]
    rows = [
        (trace.answer.model if trace.answer else None, trace.cost_usd) for trace in map(traces.get, ids(asked)) if trace
    ]
    return {"answers": answers, "rows": rows, "counted": counted.usage_metadata, "sklearn": "sklearn" in sys.modules}


def ids(asked: dict[str, Any]) -> list[str]:
    """Return the ids of the questions, in order."""
    return [id_ for id_, _ in asked["questions"]]


if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin)), sys.stdout)
