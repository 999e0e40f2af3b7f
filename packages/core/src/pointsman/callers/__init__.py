"""Callers: how a model is reached, so that the library can call it where no framework does."""

from pointsman.callers.base import Caller, messages_of, prompt_of
from pointsman.callers.function import FunctionCaller
from pointsman.callers.openai_http import OpenAICaller
from pointsman.callers.resolving import caller_of, callers_of

__all__ = ["Caller", "FunctionCaller", "OpenAICaller", "caller_of", "callers_of", "messages_of", "prompt_of"]
