"""From a single hard-coded LlamaIndex model to a router: two lines change, and the app around them does not know."""

from __future__ import annotations

from llama_index.core.chat_engine import SimpleChatEngine
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


def client(model: str, url: str) -> OpenAILike:
    """Return a model as the app has always made it; a local server stands in for the provider."""
    return OpenAILike(model=model, api_base=url, api_key="none", is_chat_model=True, max_retries=0)


def app(llm: LLM) -> None:
    """Chat, as ever."""
    engine = SimpleChatEngine.from_defaults(llm=llm)
    for question in ("What is 2 + 2?", "Explain it step by step.", "Thanks!"):
        print(f"  {question} {engine.chat(question)}")


def main() -> None:
    """Run the app before and after."""
    with ReplayServer({}, default=lambda model, _: Recorded(text=f"({model})")) as server:
        print("before")
        llm: LLM = client("gpt-4o", server.url)
        app(llm)

        print("after")
        models = {name: client(name, server.url) for name in ROUTER.models}
        llm = RouterLLM(models=models, router=ROUTER)
        app(llm)


if __name__ == "__main__":
    main()
