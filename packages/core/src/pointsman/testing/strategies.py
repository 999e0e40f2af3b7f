"""Strategies: Hypothesis draws queries, datasets, estimates, plans and parameters for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np

from pointsman.components import Component
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, MissingExtraError
from pointsman.estimators.base import Estimates
from pointsman.flow import Effect, Plan, Vectors
from pointsman.models import ModelPool
from pointsman.testing.toys import embed
from pointsman.types import Answer, Call, Embed, Message, Query, Response

try:
    from hypothesis import assume
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtraError("hypothesis", "dev") from error

__all__ = ["Script", "carried_out", "components", "datasets", "estimates", "queries", "scripts", "texts"]

C = TypeVar("C", bound=Component)
Script = tuple[tuple[Effect, ...], ...]
"""The batches of effects that a plan wants, one after the other."""

_NAMES = ("amber", "birch", "cedar", "delta", "ember")
_DOMAINS = (None, "law", "physics")


def texts() -> st.SearchStrategy[str]:
    """Draw short texts in any script; every other one is taken from a few words, so that some are alike."""
    words = st.lists(st.sampled_from(("add", "two", "prove", "it", "in", "French")), max_size=4).map(" ".join)
    return st.one_of(words, st.text(max_size=20))


def queries() -> st.SearchStrategy[Query]:
    """Draw queries with an embedding, some with a domain."""

    def made(text: str, name: int, domain: str | None) -> Query:
        return Query(text=text, id=str(name), domain=domain, embedding=np.array(embed(text)))

    return st.builds(made, texts(), st.integers(0, 999), st.sampled_from(_DOMAINS))


@st.composite
def datasets(
    draw: st.DrawFn, *, rows: tuple[int, int] = (6, 16), models: tuple[int, int] = (1, 4), complete: bool = False
) -> RoutingDataset:
    """Draw outcomes full of ties: few distinct qualities and costs, repeated texts, missing cells unless `complete`.

    The first row is always complete, so that every model has been observed.
    """
    n, m = draw(st.integers(*rows)), draw(st.integers(*models))
    names = draw(st.permutations(_NAMES))[:m]
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    quality = seed.choice([0.0, 0.25, 1.0], size=(n, m))
    cost = seed.choice([0.0, 1e-4, 2e-4, 0.01], size=m) * seed.choice([1.0, 1.0, 2.0], size=(n, m))
    if not complete:
        quality[1:][seed.random((n - 1, m)) < draw(st.sampled_from((0.0, 0.3)))] = np.nan
        cost[1:][seed.random((n - 1, m)) < draw(st.sampled_from((0.0, 0.3)))] = np.nan
    drawn = draw(st.lists(texts(), min_size=n, max_size=n))
    return RoutingDataset.from_arrays(
        drawn,
        dict(zip(names, quality.T.tolist(), strict=True)),
        dict(zip(names, cost.T.tolist(), strict=True)),
        domains=draw(st.lists(st.sampled_from(_DOMAINS), min_size=n, max_size=n)),
        embeddings=np.array([embed(text) for text in drawn]),
        pool=ModelPool(names),
    )


@st.composite
def estimates(draw: st.DrawFn, *, rows: tuple[int, int] = (1, 12), models: tuple[int, int] = (1, 4)) -> Estimates:
    """Draw complete estimates in which many models are equally good or equally dear."""
    n, m = draw(st.integers(*rows)), draw(st.integers(*models))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.booleans())
    return Estimates(
        models=tuple(sorted(_NAMES[:m])),
        quality=seed.choice([0.2, 0.5, 0.5, 0.9], size=(n, m)) if coarse else seed.random((n, m)),
        cost_usd=seed.choice([1e-4, 1e-3, 1e-2], size=(n, m)) if coarse else seed.lognormal(-7, 2, size=(n, m)),
    )


def _effects(models: Sequence[str]) -> st.SearchStrategy[Effect]:
    said = st.text(max_size=10).map(lambda text: (Message(role="user", content=text),))
    calls = st.builds(
        Call,
        model=st.sampled_from(tuple(models)),
        messages=st.none() | said,
        purpose=st.sampled_from(("answer", "judge", "sample")),
    )
    embeds = st.builds(Embed, embedder=st.just("words"), texts=st.lists(texts(), max_size=3).map(tuple))
    return st.one_of(calls, calls, embeds)


def scripts(models: Sequence[str] = _NAMES[:3]) -> st.SearchStrategy[Script]:
    """Draw what a plan wants: up to four batches of up to three calls and embeddings."""
    batch = st.lists(_effects(models), min_size=1, max_size=3).map(tuple)
    return st.lists(batch, max_size=4).map(tuple)


def carried_out(script: Script) -> Plan[Answer]:
    """Return a plan that wants the batches of a script, and answers with all that it heard."""
    heard: list[str] = []
    support = []
    for batch in script:
        outcomes = yield batch
        for outcome in outcomes:
            if isinstance(outcome, Response):
                heard.append(outcome.text)
                support.append(outcome.step)
            else:
                heard.append(_said(outcome))
    return Answer(content="\n".join(heard), support=tuple(support))


def _said(outcome: Vectors | Exception) -> str:
    return str(outcome)


@st.composite
def components(draw: st.DrawFn, cls: type[C]) -> C:
    """Draw an instance of a component: one of its examples, with some simple parameters drawn from their annotations."""
    example = draw(st.sampled_from(cls.examples()))
    hints = get_type_hints(cls, include_extras=True)
    simple = {name: hints[name] for name in example.params() if _is_simple(hints[name])}
    chosen = draw(st.sets(st.sampled_from(sorted(simple)))) if simple else set()
    changes: dict[str, Any] = {name: draw(_values(simple[name])) for name in sorted(chosen)}
    try:
        return example.clone(**changes)
    except ConfigError:
        assume(False)
        raise


def _is_simple(hint: Any) -> bool:
    """Tell whether a parameter is a number, a choice, or a tuple or option of such."""
    inner = [part for part in get_args(hint) if part is not Ellipsis]
    if not inner or getattr(hint, "__metadata__", None):
        return hint in {int, float, bool} or (bool(inner) and _is_simple(inner[0]))
    return all(part is type(None) or _is_simple(part) or isinstance(part, str) for part in inner)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Draw values of a simple parameter that are finite and of a size that can be fitted."""
    small = st.from_type(hint)
    return small.filter(_is_moderate)


def _is_moderate(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return all(not isinstance(part, int | float) or abs(part) <= _MODERATE for part in parts)


_MODERATE = 1_000
