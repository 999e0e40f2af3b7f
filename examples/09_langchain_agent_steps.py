"""An agent whose every step is routed: a small model picks the tool, a large one makes sense of what it returned."""

from __future__ import annotations

from uuid import uuid4

from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from langchain_router import RouterMiddleware
from pointsman import ModelPool, ModelSpec, Price, Rule, RulesRouter
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer

POOL = ModelPool(
    [
        ModelSpec(name="large", price=Price(input_per_mtok=3.0, output_per_mtok=15.0)),
        ModelSpec(name="small", price=Price(input_per_mtok=0.2, output_per_mtok=0.8)),
    ]
)
ROUTER = RulesRouter(pool=POOL, default="small", rules=(Rule(model="large", tags={"agent_step": "tool_result"}),))


def weather_in(city: str) -> str:
    """Tell the weather in a city."""
    return f"{city}: 19 degrees, rain from the west"


def main() -> None:
    """Run the agent twice, the second time while the large model is down."""
    with ReplayServer({}, default=lambda model, _: Recorded(text=f"{model}: take an umbrella")) as server:
        client = {"base_url": server.url, "api_key": "none", "stream_usage": True, "max_retries": 0}
        router = RouterMiddleware(
            models={name: ChatOpenAI(model=name, **client) for name in POOL}, router=ROUTER, per="call"
        )
        spare = ChatOpenAI(model="spare", **client)
        agent = create_agent(spare, [weather_in], middleware=[router, ModelFallbackMiddleware(spare)])
        asked = {"messages": [HumanMessage("What is the weather in Paris?")]}

        run_id = uuid4()
        state = agent.invoke(asked, {"run_id": run_id})
        print(state["messages"][-1].text)
        for record in state["router_log"]:
            print(f"  {record['model']}: {record['reason']}, ${record['cost_usd']:.6f}")
        router.feedback.create_feedback(
            run_id, key="thumbs", score=1.0
        )  # as LangSmith takes it; teaches a router that learns

        server.fail(Fault(model="large", status=503))
        state = agent.invoke(asked)
        print(state["messages"][-1].text)
        print(f"  {state['router_log'][-1]['model']} answered, {state['router_log'][-1]['tried']} was tried")


if __name__ == "__main__":
    main()
