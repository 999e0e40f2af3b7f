"""RouterLLM, a LlamaIndex LLM that lets a pointsman router choose who answers, and RouterSelector, which chooses engines."""

from pointsman.errors import MissingExtraError

try:
    from llamaindex_router.embedding import Embedder
    from llamaindex_router.per_call import routing
    from llamaindex_router.record import RouterDecisionEvent
    from llamaindex_router.router_llm import RouterLLM
    from llamaindex_router.selector import RouterSelector
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "llama_index":
        raise
    raise MissingExtraError("llama-index-core, which llamaindex_router is for,", "llamaindex") from error

__all__ = ["Embedder", "RouterDecisionEvent", "RouterLLM", "RouterSelector", "routing"]
