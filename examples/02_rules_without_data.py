"""No outcomes yet? Write routes by hand, with fallback, retries and a budget from the first day."""

from __future__ import annotations

from pointsman import (
    Budget,
    CallError,
    Dispatcher,
    ModelPool,
    ModelSpec,
    Price,
    Query,
    Response,
    Retry,
    Rule,
    RulesRouter,
)
from pointsman.types import Call, Embed, Usage

POOL = ModelPool(
    [
        ModelSpec(name="large", price=Price(input_per_mtok=3.0, output_per_mtok=15.0)),
        ModelSpec(name="small", price=Price(input_per_mtok=0.2, output_per_mtok=0.8), context_window=8_000),
    ]
)
ROUTER = RulesRouter(
    pool=POOL,
    default="small",
    rules=(
        Rule(model="large", contains=("prove", "step by step")),
        Rule(model="large", matches=r"```|\bdef \w+\("),
    ),
)
ATTEMPTS: list[str] = []


def perform(effect: Call | Embed) -> Response:
    """Stand in for a provider whose small model is overloaded at first."""
    assert isinstance(effect, Call)
    ATTEMPTS.append(effect.model)
    if effect.model == "small" and len(ATTEMPTS) == 1:
        raise CallError("small", "overloaded", status=429, retryable=True)
    return Response(
        model=effect.model, text=f"{effect.model} says hello", usage=Usage(input_tokens=900, output_tokens=200)
    )


def main() -> None:
    """Route two questions and look at what happened."""
    budget = Budget(limit_usd=0.05)
    dispatcher = Dispatcher(ROUTER, perform=perform, retry=Retry(attempts=2, base_s=0.01), budget=budget)
    for text in ("What is the capital of France?", "Prove that there are infinitely many primes."):
        trace = dispatcher.run(Query(text=text))
        assert trace.answer is not None
        print(f"{text}\n  {trace.answer.content!r} because {trace.decisions[0].reason}; {len(trace.steps)} steps")
    print(f"spent ${float(budget.spent_usd):.5f}, left ${float(budget.left_usd):.5f}")


if __name__ == "__main__":
    main()
