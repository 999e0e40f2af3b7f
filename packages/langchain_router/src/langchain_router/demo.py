"""The demonstration in LangChain: a chain in which a saved router chooses among the stand-in programs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable

from langchain_router.router_llm import RouterLLM
from pointsman.demo.frameworks import Exchange, FrameworkRun
from pointsman.demo.programs import PROGRAMS

__all__ = ["StandIn", "demonstrate", "routed_chain"]


class StandIn(BaseChatModel):
    """A stand-in program as a chat model: it answers the last message.

    Parameters:
        program: The name of the program.
    """

    program: str

    @property
    def _llm_type(self) -> str:
        return "pointsman-demo"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        response = PROGRAMS[self.program](str(messages[-1].text))
        read, written = (
            (response.usage.input_tokens or 0, response.usage.output_tokens or 0) if response.usage else (0, 0)
        )
        message = AIMessage(
            content=response.text,
            usage_metadata=UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written),
            response_metadata={"model_name": self.program},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def routed_chain(
    artefact: Path,
    models: dict[str, BaseChatModel],
) -> Runnable[dict[str, str], AIMessage]:
    """Return a prompt and, behind it, whichever model the router chooses."""
    prompt = ChatPromptTemplate.from_template("{question}")
    llm = RouterLLM.from_artifact(artefact, models=models)
    return prompt | llm


def demonstrate(artefact: Path, questions: Sequence[str]) -> FrameworkRun:
    """Put questions to a chain with the saved router, and return its code and what it answered."""
    chain = routed_chain(artefact, {name: StandIn(program=name) for name in PROGRAMS})
    messages = chain.batch([{"question": question} for question in questions])
    return FrameworkRun(
        framework="LangChain",
        code=inspect.getsource(routed_chain),
        exchanges=tuple(
            Exchange(question, message.response_metadata["router"]["model"], str(message.text))
            for question, message in zip(questions, messages, strict=True)
        ),
    )
