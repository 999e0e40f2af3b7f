"""RouterSelector: lets a pointsman router choose among LlamaIndex's query engines or retrievers, without asking a model."""

from pointsman.errors import MissingExtraError

try:
    from llamaindex_router.selector import RouterSelector
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "llama_index":
        raise
    raise MissingExtraError("llama-index-core, which llamaindex_router is for,", "llamaindex") from error

__all__ = ["RouterSelector"]
