"""Construction: parameters are keyword-only, validated and immutable; building a component learns nothing."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from pointsman.components import Component, Tags
from pointsman.errors import ConfigError, NotFittedError
from pointsman.testing.cases import Case, parts
from pointsman.testing.expecting import expect_error, expect_same

__all__ = [
    "check_clones_are_equal_and_unfitted",
    "check_clones_share_no_parts",
    "check_nothing_is_learnt_at_construction",
    "check_parameters_are_keyword_only",
    "check_parameters_are_reported",
    "check_parameters_cannot_be_changed",
    "check_tags_are_the_surveys_words",
    "check_unfitted_use_is_refused",
    "check_wrong_parameters_are_named",
]

_WORDS = Tags(
    when=frozenset({"pre-generation", "post-generation", "multi-stage", "online"}),
    what=frozenset({"query", "model metadata", "response", "feedback"}),
    how=frozenset({"heuristic", "supervised", "bandit", "RL policy"}),
)


def check_parameters_are_keyword_only(case: Case[Any]) -> None:
    """Every parameter of the constructor is keyword-only."""
    signature = inspect.signature(type(case.component))
    others = [p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    assert not others, f"{others} can be given by position"


def check_parameters_are_reported(case: Case[Any]) -> None:
    """`params()` names every parameter of the constructor, and building from it again gives the same spec."""
    given = case.component.params()
    assert set(given) == set(inspect.signature(type(case.component)).parameters)
    expect_same(type(case.component)(**given).spec(), case.component.spec(), "the parameters do not rebuild it")


def check_parameters_cannot_be_changed(case: Case[Any]) -> None:
    """Setting a parameter of an existing component raises AttributeError."""
    component = case.fresh()
    for name, value in component.params().items():
        expect_error(AttributeError, partial(setattr, component, name, value), f"{name} can be set")


def check_wrong_parameters_are_named(case: Case[Any]) -> None:
    """A value that no parameter can have raises ConfigError naming the class and the parameter."""
    cls: type[Component] = type(case.component)
    for name in case.component.params():
        wrong = case.component.params() | {name: object()}
        error = expect_error(ConfigError, partial(cls, **wrong), f"{name} takes anything")
        assert f"{cls.__name__}.{name}" in str(error), f"the error does not name {name}: {error}"


def check_nothing_is_learnt_at_construction(case: Case[Any]) -> None:
    """A new component has no state."""
    again = type(case.component)(**case.component.params())
    assert again.state_ is None, "it has a state before fit"


def check_unfitted_use_is_refused(case: Case[Any]) -> None:
    """Before `fit`, a component raises NotFittedError, unless there is nothing to learn that would change what it does."""
    try:
        found = case.behaviour(case.fresh())
    except NotFittedError:
        return
    expect_same(found, case.does(), "it can be used before fit, but does something else then")


def check_clones_are_equal_and_unfitted(case: Case[Any]) -> None:
    """A clone is another object with an equal spec and no state; the original keeps its own."""
    state = case.fitted.state_
    clone = case.fitted.clone()
    assert clone is not case.fitted, "the clone is the original"
    assert clone.state_ is None, "the clone is fitted"
    assert case.fitted.state_ is state, "cloning changed the original"
    expect_same(clone.spec(), case.fitted.spec(), "the clone has other parameters")


def check_clones_share_no_parts(case: Case[Any]) -> None:
    """The components among a clone's parameters are clones too."""
    mine = {id(part) for part in parts(case.component)}
    shared = [part for part in parts(case.component.clone()) if id(part) in mine]
    assert not shared, f"the clone shares {shared}"


def check_tags_are_the_surveys_words(case: Case[Any]) -> None:
    """Tags say when, what and how in the survey's words."""
    tags = case.component.tags
    for place in ("when", "what", "how"):
        unknown = getattr(tags, place) - getattr(_WORDS, place)
        assert not unknown, f"tags.{place} has {sorted(unknown)}; the words are {sorted(getattr(_WORDS, place))}"
