"""From a single hard-coded LlamaIndex model to a router: two lines change, and the app around them does not know."""

from __future__ import annotations

import httpx
from llama_index.core import Document, SummaryIndex
from llama_index.core.llms import LLM
from llama_index.llms.openai_like import OpenAILike

from llamaindex_router import RouterLLM
from pointsman import ModelPool, Rule, RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer

ROUTER = RulesRouter(  # or one that was learned: RouterLLM.from_artifact("router.pointsman", models=models)
    pool=ModelPool(["gpt-4o", "gpt-4o-mini"]),
    default="gpt-4o-mini",
    rules=(Rule(model="gpt-4o", contains=("step by step",)),),
)


def client(model: str, url: str, http: httpx.Client) -> OpenAILike:
    """Return a model as the app has always made it; a local server stands in for the provider."""
    return OpenAILike(model=model, api_base=url, api_key="none", is_chat_model=True, max_retries=0, http_client=http)


def app(llm: LLM) -> None:
    """Answer questions about a text, as ever."""
    engine = SummaryIndex.from_documents([Document(text="Two and two make four.")]).as_query_engine(llm=llm)
    for question in ("What is 2 + 2?", "Explain it step by step.", "Is it odd?"):
        print(f"  {question} {engine.query(question)}")


def main() -> None:
    """Run the app before and after."""
    replies = ReplayServer({}, default=lambda model, _: Recorded(text=f"({model})"))
    with replies as server, httpx.Client() as http:
        print("before")
        llm: LLM = client("gpt-4o", server.url, http)
        app(llm)

        print("after")
        models = {name: client(name, server.url, http) for name in ROUTER.models}
        llm = RouterLLM(models=models, router=ROUTER)
        app(llm)


if __name__ == "__main__":
    main()
