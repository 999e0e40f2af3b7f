"""An unchanged LangChain chain whose model is chosen for every question, with LangChain's own usage count."""

from __future__ import annotations

from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from langchain_router import RouterLLM
from pointsman import ModelPool, ModelSpec, Price, Rule, RulesRouter
from pointsman.testing.replay_server import Recorded, ReplayServer
from pointsman.types import Trace

POOL = ModelPool(
    [
        ModelSpec(name="large", price=Price(input_per_mtok=3.0, output_per_mtok=15.0)),
        ModelSpec(name="small", price=Price(input_per_mtok=0.2, output_per_mtok=0.8)),
    ]
)
ROUTER = RulesRouter(pool=POOL, default="small", rules=(Rule(model="large", contains=("prove",)),))


def main() -> None:
    """Ask two questions through real clients of a local server."""
    traces: list[Trace] = []
    with ReplayServer({}, default=lambda model, _: Recorded(text=f"{model} answers")) as server:
        models = {name: ChatOpenAI(model=name, base_url=server.url, api_key="none", stream_usage=True) for name in POOL}
        llm = RouterLLM(models=models, router=ROUTER, observers=[traces.append])
        chain = ChatPromptTemplate.from_template("Briefly: {question}") | llm | StrOutputParser()
        with get_usage_metadata_callback() as usage:
            print(chain.invoke({"question": "What is 2 + 2?"}))
            print("".join(chain.stream({"question": "Prove that 2 + 2 = 4."})))
    for trace in traces:
        print(f"{trace.decisions[0].model}: ${trace.cost_usd:.6f}")
    print({name: tokens["total_tokens"] for name, tokens in usage.usage_metadata.items()})


if __name__ == "__main__":
    main()
