"""RulesRouter: routes written by hand, for those who have no outcomes yet or know better."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from pointsman.errors import ConfigError, NoEligibleModelError, choices
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.types import UNCONSTRAINED, Constraints, Context, Decision, Query

__all__ = ["Rule", "RulesRouter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Send a query to a model when every condition given here holds.

    Parameters:
        model: Where the query goes.
        contains: Words or phrases, one of which the text contains; case does not matter.
        matches: A regular expression that is found in the text.
        min_chars, max_chars: Bounds on the text's length, both inclusive.
        domains: The query's domain is one of these.
        requires: The query requires, or its content has, at least these capabilities or modalities.
        tags: The query has all these tags.
    """

    model: str
    contains: tuple[str, ...] = ()
    matches: str | None = None
    min_chars: int | None = None
    max_chars: int | None = None
    domains: frozenset[str] = frozenset()
    requires: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.matches is not None:
            try:
                re.compile(self.matches)
            except re.error as error:
                raise ConfigError(f"Rule.matches is not a regular expression: {self.matches!r} ({error}).") from None

    def mismatch(self, query: Query) -> str | None:
        """Return the first condition that does not hold, in words; None when the rule applies."""
        text, folded = query.text, query.text.casefold()
        tests = {
            f"contains none of {choices(self.contains)}": self.contains
            and not any(phrase.casefold() in folded for phrase in self.contains),
            f"does not match {self.matches!r}": self.matches is not None and re.search(self.matches, text) is None,
            f"is shorter than {self.min_chars}": self.min_chars is not None and len(text) < self.min_chars,
            f"is longer than {self.max_chars}": self.max_chars is not None and len(text) > self.max_chars,
            f"is of domain {query.domain!r}": self.domains and query.domain not in self.domains,
            f"does not require {choices(self.requires)}": not self.requires <= query.required | query.modalities,
            f"lacks a tag of {dict(self.tags)}": not self.tags.items() <= query.tags.items(),
        }
        return next((reason for reason, holds in tests.items() if holds), None)


class RulesRouter(Router):
    """The model of the first rule that applies and whose model can serve the query; else the default.

    Without rules it is the constant router: always the default, and the rest of the pool when that fails.

    Parameters:
        pool: The models there are.
        default: Where everything else goes.
        rules: Tried in order.

    Raises:
        ConfigError: When a rule or the default names a model that is not in the pool.
    """

    pool: ModelPool
    default: str
    rules: tuple[Rule, ...] = ()

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return a constant router and one with rules, over the toy data's models."""
        pool = ModelPool(("large", "medium", "small"))
        rules = (Rule(model="large", contains=("prove", "証明")), Rule(model="small", max_chars=12))
        return cls(pool=pool, default="small"), cls(pool=pool, default="medium", rules=rules)

    def __post_init__(self) -> None:
        """Validate the parameters, and that every named model is in the pool."""
        super().__post_init__()
        if unknown := {self.default, *(rule.model for rule in self.rules)} - set(self.pool):
            raise ConfigError(f"RulesRouter names unknown model {choices(unknown)}; the pool has {choices(self.pool)}.")

    @property
    def models(self) -> ModelPool:
        """The pool given at construction."""
        return self.pool

    @cached_property
    def _standing(self) -> Decision:
        """The decision where there are no rules and nothing stands in the default's way."""
        ranking = tuple(dict.fromkeys((self.default, *self.pool.by_price)))
        return Decision(model=self.default, ranking=ranking, reason="no rule applies")

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the first applicable rule's model; the default and then the others stand by."""
        excluded, degraded = self.exclusions(query, context)
        limits = query.constraints
        if not (self.rules or excluded or degraded) and (limits is UNCONSTRAINED or limits == UNCONSTRAINED):
            return self._standing
        wanted, skipped = [], []
        for number, rule in enumerate(self.rules, start=1):
            if rule.mismatch(query) is None:
                if rule.model in excluded:
                    skipped.append(f"rule {number} wants {rule.model}, which is left out ({excluded[rule.model]})")
                wanted.append((rule.model, f"rule {number} applies"))
        wanted.append((self.default, "no rule applies" if not wanted else "the default"))
        wanted += [(name, "stands by") for name in self.pool.by_price]
        reasons: dict[str, str] = {}
        for name, why in wanted:
            if name not in excluded:
                reasons.setdefault(name, why)
        if not reasons:
            raise NoEligibleModelError(excluded)
        ranking = tuple(reasons)
        return Decision(
            model=ranking[0],
            ranking=ranking,
            reason=reasons[ranking[0]],
            excluded=excluded,
            degraded=(*degraded, *skipped, *_unchecked(limits)),
        )


def _unchecked(limits: Constraints) -> list[str]:
    """Return the limits that rules cannot hold to, as they expect nothing of a model."""
    names = ("max_cost_usd", "max_latency_s", "min_quality")
    return [
        f"{name}={getattr(limits, name):g} is not checked by rules"
        for name in names
        if getattr(limits, name) is not None
    ]
