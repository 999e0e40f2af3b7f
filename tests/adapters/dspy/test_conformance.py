"""The checks that every adapter passes, with DSPy's own callbacks and usage tracker for eyes."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextvars import copy_context
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy

from dspy_router import Routed, RoutedPredict, RouterLM, routed
from pointsman.dispatch import Dispatcher
from pointsman.testing import AdapterCase, AdapterDriver, Watched, adapter_checks_for
from pointsman.testing.adapters import ADAPTER_CHECKS
from pointsman.testing.replay_server import Recorded

FIXED = {"completed": "", "next_tool_name": "finish", "next_tool_args": "{}"}
"""What an agent's fields must hold; all others get the model's name and the question."""


class Starts(dspy.utils.callback.BaseCallback):
    """Keeps of each LM call that begins whether it lies under a predictor."""

    def __init__(self) -> None:
        self.nested: list[bool] = []

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Keep it."""
        self.nested.append(any(isinstance(one, dspy.Predict) for one in dspy.settings.caller_modules or ()))


class DspyDriver(AdapterDriver):
    """RoutedPredict over real clients; the dispatcher is a RouterLM's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.clients: list[dspy.LM] = []

    def close(self) -> None:
        """Close the clients and end the loop."""
        for client in self.clients:
            self.run(client.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def run(self, act: Coroutine[Any, Any, Any]) -> Any:
        """Await in the driver's loop, in this thread's context."""

        async def acting() -> Any:
            return await asyncio.get_running_loop().create_task(act, context=context)

        context = copy_context()
        return asyncio.run_coroutine_threadsafe(acting(), self.loop).result()

    def build(self, url: str, dispatcher: Dispatcher) -> Any:
        """Return a RouterLM."""
        settings: Any = {"api_base": url, "api_key": self.key, "num_retries": 0, "cache": False}
        lms = {name: dspy.LM(f"openai/{name}", **settings) for name in dispatcher.router.models}
        self.clients += lms.values()
        return RouterLM(lms, dispatcher=dispatcher, **self.options())

    def options(self) -> dict[str, Any]:
        """Return more of the RouterLM's settings."""
        return {}

    def program(self, llm: Any) -> Any:
        """Return what answers a question."""
        return RoutedPredict("question -> answer", llm)

    def ask(self, llm: Any, way: str, question: str) -> Sequence[str]:
        """Ask: a prediction's answer, or the chunks of a listener to it."""
        program = self.program(llm)
        if way == "sync":
            return [program(question=question).answer]
        if way == "async":
            return [self.run(program.acall(question=question)).answer]
        listener = dspy.streaming.StreamListener("answer", predict=program, predict_name="self")
        streaming = dspy.streamify(program, stream_listeners=[listener], async_streaming=way == "astream")
        items = (
            self.run(_collected(streaming(question=question))) if way == "astream" else [*streaming(question=question)]
        )
        shown = [item.chunk for item in items if isinstance(item, dspy.streaming.StreamResponse)]
        [prediction] = [item for item in items if isinstance(item, dspy.Prediction)]
        return [piece for piece in shown if piece] or [prediction.answer]

    def watch(self, llm: Any, act: Callable[[], object]) -> Watched:
        """Count what DSPy's callbacks and its usage tracker are told."""
        starts = Starts()
        with dspy.track_usage() as usage, dspy.context(callbacks=[starts], track_usage=True):
            act()
        told = usage.get_total_tokens().values()
        return Watched(
            llm_events=len(starts.nested),
            nested=sum(starts.nested),
            input_tokens=sum(one["prompt_tokens"] for one in told),
            output_tokens=sum(one["completion_tokens"] for one in told),
        )

    def programs(self) -> Mapping[str, Callable[[Any, str], str]]:
        """Return modules around a RouterLM."""
        thinking = dspy.ChainOfThought("question -> answer")

        def configured(llm: Any, question: str) -> str:
            with dspy.context(lm=llm):
                return str(thinking(question=question).answer)

        def parallel(llm: Any, question: str) -> str:
            pairs = [(routed(thinking, llm), {"question": question}) for _ in range(3)]
            return str(dspy.Parallel(num_threads=3, disable_progress_bar=True)(pairs)[0].answer)

        return {
            "configured": configured,
            "routed": lambda llm, question: str(routed(thinking, llm)(question=question).answer),
            "module": lambda llm, question: str(Routed(thinking, llm)(question=question).answer),
            "parallel": parallel,
            "agent": lambda llm, question: str(
                routed(dspy.ReAct("question -> answer", []), llm)(question=question).answer
            ),
        }

    def serialised(self, llm: Any) -> Mapping[str, str]:
        """Return what DSPy writes, of a RouterLM that can be written, and of programs with it."""
        lm = RouterLM(llm.lms, llm.router)
        program = routed(dspy.ChainOfThought("question -> answer"), lm)
        program(question="What is it?")
        told = StringIO()
        program.inspect_history(n=3, file=told)
        with TemporaryDirectory() as folder:
            program.save(Path(folder) / "state.json")
            program.save(Path(folder) / "state.pkl")
            program.save(Path(folder) / "program", save_program=True)
            files = [one for one in Path(folder).rglob("*") if one.is_file()]
            written = {one.name: one.read_bytes().decode("latin-1") for one in files}
        return {
            **written,
            "repr": repr(llm) + repr(program),
            "state": json.dumps(lm.dump_state()),
            "pickle": pickle.dumps(lm).decode("latin-1"),
            "history": told.getvalue() + str(program.history) + str(lm.history),
        }

    def answer(self, model: str, request: Mapping[str, Any]) -> Recorded:
        """Answer in the fields that DSPy's adapter asks for."""
        said = request["messages"][-1]["content"]
        question = said.partition("[[ ## question ## ]]\n")[2].partition("\n\n")[0]
        fields = re.findall(r"\[\[ ## (\w+) ## \]\]", said.partition("Respond with")[2])
        text = "".join(f"[[ ## {one} ## ]]\n{FIXED.get(one, f'{model} says: {question}')}\n\n" for one in fields)
        return Recorded(text=text or f"{model} says: {said}", input_tokens=len(said) + 3, output_tokens=len(model) + 2)


class RouterLMDriver(DspyDriver):
    """The same around an ordinary predictor, whose language model is the RouterLM."""

    def options(self) -> dict[str, Any]:
        """Return the reader of the question, which an ordinary predictor's messages hold among other things."""
        return {"query": lambda turns: turns[-1].text.partition("[[ ## question ## ]]\n")[2].partition("\n\n")[0]}

    def program(self, llm: Any) -> Any:
        """Return what answers a question."""
        program = dspy.Predict("question -> answer")
        program.set_lm(llm)
        return program


async def _collected(stream: Any) -> list[Any]:
    return [item async for item in stream]


@pytest.fixture(scope="module", params=[DspyDriver, RouterLMDriver], ids=["RoutedPredict", "RouterLM"])
def driver(request: pytest.FixtureRequest) -> Iterator[DspyDriver]:
    """Return a driver."""
    made = request.param()
    yield made
    made.close()


@pytest.mark.parametrize("name", ADAPTER_CHECKS)
def test_the_adapter_passes(driver: DspyDriver, name: str) -> None:
    """Every fact of the suite holds of DSPy's adapter."""
    case = AdapterCase(driver)
    checks = {check.__name__: check for check in adapter_checks_for(case)}
    assert name in checks
    checks[name](case)
