"""A RAG over LlamaIndex whose model is chosen by the question, not by the documents, with LlamaIndex's own token count."""

from __future__ import annotations

import httpx
from llama_index.core import Document, MockEmbedding, Settings, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.llms.openai_like import OpenAILike

from llamaindex_router import RouterLLM
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
TEXTS = [
    "Euclid could prove that there is no largest prime; others prove it by other means. " * 20,
    "The Elements, which prove some four hundred propositions, were written around 300 BC. " * 20,
]


def main() -> None:
    """Ask two questions about texts that speak of nothing but proofs, through real clients of a local server."""
    counter = TokenCountingHandler(tokenizer=str.split)
    traces: list[Trace] = []
    replies = ReplayServer({}, default=lambda model, _: Recorded(text=f"{model} answers"))
    with replies as server, httpx.Client() as http:
        models = {
            name: OpenAILike(
                model=name,
                api_base=server.url,
                api_key="none",
                is_chat_model=True,
                context_window=16_000,
                max_retries=0,
                http_client=http,
            )
            for name in POOL
        }
        Settings.callback_manager = CallbackManager([counter])
        llm = RouterLLM(models=models, router=ROUTER, observers=[traces.append])
        index = VectorStoreIndex.from_documents(
            [Document(text=text) for text in TEXTS], embed_model=MockEmbedding(embed_dim=8)
        )
        engine = index.as_query_engine(llm=llm)
        for question in ("When were the Elements written?", "How does one prove that there is no largest prime?"):
            print(f"{question} {engine.query(question)}")
    for trace in traces:
        print(f"{trace.decisions[0].model}: ${trace.cost_usd:.6f} for {trace.query.input_chars} characters")
    print(f"{counter.total_llm_token_count} tokens in {len(counter.llm_token_counts)} calls")


if __name__ == "__main__":
    main()
