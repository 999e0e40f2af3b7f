"""RouterLLM: a LangChain chat model that lets a pointsman router choose, for every request, which model answers it."""

from langchain_router.installation import DISTRIBUTION, check_installation
from langchain_router.router_llm import RouterLLM

__all__ = ["DISTRIBUTION", "RouterLLM", "check_installation"]
