"""Strategies: Hypothesis draws queries, datasets, estimates, plans and parameters for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

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
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtraError("hypothesis", "dev") from error

__all__ = ["Script", "carried_out", "components", "datasets", "estimates", "queries", "scripts", "texts"]

C = TypeVar("C", bound=Component)
Script = tuple[tuple[Effect, ...], ...]
"""The batches of effects that a plan wants, one after the other."""

_NAMES = ("amber", "birch", "cedar", "delta", "ember")
_LARGEST = 1_000
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
    data = RoutingDataset.from_arrays(
        drawn,
        dict(zip(names, quality.T.tolist(), strict=True)),
        dict(zip(names, cost.T.tolist(), strict=True)),
        domains=draw(st.lists(st.sampled_from(_DOMAINS), min_size=n, max_size=n)),
        embeddings=np.array([embed(text) for text in drawn]),
        pool=ModelPool(names),
    )
    return data.only(names)


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
    """Draw an instance of a component: one of its examples, some of its simple parameters drawn from their annotations."""
    example = draw(st.sampled_from(cls.examples()))
    hints = get_type_hints(cls, include_extras=True)
    drawable = {name: values for name in sorted(example.params()) if (values := _values(hints[name])) is not None}
    changes = {name: draw(values) for name, values in drawable.items() if draw(st.booleans())}
    try:
        return example.clone(**changes)
    except ConfigError:  # parameters that do not go together
        return example


def _values(hint: Any) -> st.SearchStrategy[Any] | None:
    """Return the values of a number, a choice, or a tuple or an option of such; None for anything else."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated and get_origin(inner[0]) is not tuple:
        return _numbers(inner[0], inner[1:])
    if origin is Annotated:
        (shortest,) = (limit.min_length for limit in inner[1:])
        return _tuples(get_args(inner[0])[0], shortest)
    if origin is tuple and inner[1:] == (Ellipsis,):
        return _tuples(inner[0], 0)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is UnionType or origin is Union:
        parts = [st.none() if part is type(None) else _values(part) for part in inner]
        known = [part for part in parts if part is not None]
        return st.one_of(known) if len(known) == len(parts) else None
    return _numbers(hint, ())


def _tuples(hint: Any, shortest: int) -> st.SearchStrategy[Any] | None:
    values = _values(hint)
    return None if values is None else st.lists(values, min_size=shortest, max_size=3).map(tuple)


def _numbers(kind: Any, limits: Sequence[Any]) -> st.SearchStrategy[Any] | None:
    """Return numbers of a usual size within the limits, with at most three digits after the point."""
    lows = [getattr(limit, "ge", None) for limit in limits] + [getattr(limit, "gt", None) for limit in limits]
    highs = [getattr(limit, "le", None) for limit in limits] + [getattr(limit, "lt", None) for limit in limits]
    step = 1 if kind is int else 1000
    low = max((round(low * step) for low in lows if low is not None), default=-_LARGEST * step)
    high = min((round(high * step) for high in highs if high is not None), default=_LARGEST * step)
    low += any(getattr(limit, "gt", None) is not None for limit in limits)
    steps = st.integers(low, max(low, min(high, low + 2 * _LARGEST * step)))
    return {int: steps, float: steps.map(lambda n: n / step), bool: st.booleans()}.get(kind)
