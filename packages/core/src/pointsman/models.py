"""Who can answer: models, what they can do, what they charge, and who of them is eligible for a query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any, ClassVar, Self

from pointsman.errors import ConfigError, choices
from pointsman.types import Context, Query

__all__ = ["CHARS_PER_TOKEN", "ModelPool", "ModelSpec", "Price", "PriceTier", "estimate_tokens"]

CHARS_PER_TOKEN = 4
"""The usual length of a token in English text; an estimate where no tokenizer is at hand."""


def estimate_tokens(chars: int) -> int:
    """Return a length estimate in tokens, at least 1."""
    return max(1, -(-chars // CHARS_PER_TOKEN))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """Rates that apply to the whole call once its input exceeds `above_input_tokens`."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    above_input_tokens: int
    input_per_mtok: float
    output_per_mtok: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Rates in US dollars per million tokens; cached rates default to the input rate."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    input_per_mtok: float
    output_per_mtok: float
    cached_input_per_mtok: float | None = None
    cache_write_per_mtok: float | None = None
    per_call_usd: float = 0.0
    tiers: tuple[PriceTier, ...] = ()

    def __post_init__(self) -> None:
        rates = [self.input_per_mtok, self.output_per_mtok, self.cached_input_per_mtok, self.cache_write_per_mtok]
        for rate in [
            *rates,
            self.per_call_usd,
            *(r for t in self.tiers for r in (t.input_per_mtok, t.output_per_mtok)),
        ]:
            if rate is not None and not (isfinite(rate) and rate >= 0):
                raise ConfigError(f"A price must be a finite number of dollars, at least 0; got {rate}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One candidate model.

    Parameters:
        name: The name routers and users call it by.
        provider: Who serves it, as price tables name the provider.
        price: Its rates; None is unknown.
        context_window: Tokens it can read; None is unknown, and then never a reason to leave it out.
        capabilities: Such as "tools", "image", "structured_output"; None is undeclared, and then trusted with everything.
        metadata: Anything else, as plain data.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    name: str
    provider: str | None = None
    price: Price | None = None
    context_window: int | None = None
    capabilities: frozenset[str] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("ModelSpec.name must not be empty.")
        if self.context_window is not None and self.context_window < 1:
            raise ConfigError(
                f"ModelSpec.context_window of {self.name!r} must be at least 1, got {self.context_window}."
            )

    def obstacle(self, query: Query) -> str | None:
        """Return why this model cannot serve the query, or None."""
        if self.capabilities is not None:
            lacking = (query.required | query.modalities) - self.capabilities
            if lacking:
                return f"cannot do {choices(lacking)}"
        if self.context_window is not None:
            tokens = estimate_tokens(query.input_chars)
            if tokens > self.context_window:
                return f"about {tokens} input tokens exceed its context window of {self.context_window}"
        return None


class ModelPool(Mapping[str, ModelSpec]):
    """The candidate models by name, in alphabetical order whatever order they were given in."""

    def __init__(self, specs: Iterable[ModelSpec | str]) -> None:
        made = [ModelSpec(name=spec) if isinstance(spec, str) else spec for spec in specs]
        self._specs = {spec.name: spec for spec in sorted(made, key=lambda spec: spec.name)}
        if len(self._specs) < len(made):
            names = [spec.name for spec in made]
            raise ConfigError(
                f"A pool names each model once; repeated: {choices(n for n in set(names) if names.count(n) > 1)}."
            )

    def __getitem__(self, name: str) -> ModelSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"ModelPool({list(self._specs)})"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The models' names, sorted."""
        return tuple(self._specs)

    @cached_property
    def by_price(self) -> tuple[str, ...]:
        """The models' names, cheapest output first, those of unknown price last."""
        rates = {name: spec.price.output_per_mtok if spec.price else float("inf") for name, spec in self.items()}
        return tuple(sorted(self, key=lambda name: (rates[name], name)))

    @cached_property
    def _unlimited(self) -> bool:
        return all(spec.capabilities is None and spec.context_window is None for spec in self.values())

    @classmethod
    def of(cls, rows: Any) -> Self:
        """Build a pool from plain data: names, or rows such as `{"name": "small", "price": {"input_per_mtok": 0.1, ...}}`."""
        from pydantic import TypeAdapter, ValidationError

        if isinstance(rows, cls):
            return rows
        try:
            return cls(TypeAdapter(list[ModelSpec | str]).validate_python(rows))
        except ValidationError as error:
            places = ((".".join(map(str, e["loc"])), e["msg"], e.get("input")) for e in error.errors())
            raise ConfigError("; ".join(f"models.{at}: {why}, got {value!r}" for at, why, value in places)) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(cls.of)

    def restrict(self, names: Iterable[str]) -> Self:
        """Return the pool of these models only; unknown names raise ConfigError."""
        wanted = set(names)
        if unknown := wanted - set(self):
            raise ConfigError(f"Unknown model {choices(unknown)}; the pool has {choices(self)}.")
        return type(self)(spec for spec in self.values() if spec.name in wanted)

    def exclusions(self, query: Query, context: Context) -> dict[str, str]:
        """Return the models that must not serve the query, each with the reason."""
        constraints = query.constraints
        if self._unlimited and constraints.allow is None and not constraints.deny and not context.unavailable:
            return {}
        named = (constraints.allow or frozenset()) | constraints.deny
        if unknown := named - set(self):
            raise ConfigError(f"Constraints name unknown model {choices(unknown)}; the pool has {choices(self)}.")
        reasons: dict[str, str] = {}
        for name, spec in self.items():
            if constraints.allow is not None and name not in constraints.allow:
                reasons[name] = "not in the allow list"
            elif name in constraints.deny:
                reasons[name] = "in the deny list"
            elif name in context.unavailable:
                reasons[name] = f"unavailable: {context.unavailable[name]}"
            elif obstacle := spec.obstacle(query):
                reasons[name] = obstacle
        return reasons
