"""Routed: a whole module of DSPy run with the language model that is chosen for its inputs; and programs made of such parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import dspy
from dspy import BaseLM
from dspy.predict.parameter import Parameter

from dspy_router.embedding import Embedder
from dspy_router.fields import query_of_fields
from dspy_router.loading import Supplies
from dspy_router.routed_predict import RoutedPredict
from dspy_router.router_lm import RouterLM
from dspy_router.saving import chooser_from
from pointsman.errors import ConfigError, choices
from pointsman.types import Query

__all__ = ["Route", "Routed", "routed"]

M = TypeVar("M", bound=dspy.Module)


class Route(Parameter):
    """The RouterLM of a Routed, saved and loaded with the program that it is in."""

    def __init__(self, lm: RouterLM | None, supplies: Supplies) -> None:
        self.lm = lm
        self.supplies = supplies

    def reset(self) -> None:
        """Keep the route: it is no demonstration."""

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - DSPy's signature
        """Return the RouterLM's state."""
        return {"lm": None if self.lm is None else self.lm.dump_state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a RouterLM's state, over the candidates that are here."""
        if state["lm"] is not None:
            self.lm = chooser_from(state["lm"], self.supplies, self.lm, trusted=False)


class Routed(dspy.Module):
    """Chooses once from the inputs, then runs the module with that language model in charge.

    Predictors within that have a language model of their own keep it. A failure goes to the next model of the ranking, which
    runs the module anew.

    Parameters:
        module: Any module that is called with keyword arguments.
        lm: The RouterLM that chooses; None takes that of the settings.
        on: The inputs whose text is routed on, in this order; None is all of them.
        lms, embedders: The candidates, and embedders, that a saved route is loaded with, by name.
    """

    def __init__(
        self,
        module: dspy.Module,
        lm: RouterLM | None = None,
        *,
        on: Sequence[str] | str | None = None,
        lms: Mapping[str, BaseLM] | None = None,
        embedders: Mapping[str, Embedder] | None = None,
    ) -> None:
        super().__init__()
        self.module = module
        self.route = Route(lm, Supplies(lms, embedders))
        self.route_on = (on,) if isinstance(on, str) else None if on is None else tuple(on)

    def forward(self, **kwargs: Any) -> Any:
        """Run the module with the model that is chosen."""

        def run(lm: BaseLM) -> Any:
            with dspy.context(lm=lm):
                return self.module(**kwargs)

        return self._chooser().conduct(self._query(kwargs), run)

    async def aforward(self, **kwargs: Any) -> Any:
        """Run the module with the model that is chosen."""

        async def run(lm: BaseLM) -> Any:
            with dspy.context(lm=lm):
                return await self.module.acall(**kwargs)

        return await self._chooser().aconduct(self._query(kwargs), run)

    def _query(self, inputs: Mapping[str, Any]) -> Query:
        if lacking := set(self.route_on or ()) - set(inputs):
            raise ConfigError(
                f"Routed is to route on {choices(lacking)}, but was called with {choices(inputs) or 'none'}."
            )
        return query_of_fields(inputs, self.route_on)

    def _chooser(self) -> RouterLM:
        found = self.route.lm or dspy.settings.lm
        if not isinstance(found, RouterLM):
            raise ConfigError(f"Routed needs a RouterLM, its own or the settings'; got {found!r}.")
        return found


def routed(
    program: M,
    lm: RouterLM | None = None,
    *,
    lms: Mapping[str, BaseLM] | None = None,
    embedders: Mapping[str, Embedder] | None = None,
    on: Mapping[str, Sequence[str] | str] | Sequence[str] | str | None = None,
) -> M:
    """Return a copy of a program whose predictors are each a `RoutedPredict`.

    Parameters:
        program: Any module; parts of it that are frozen as compiled stay as they are.
        lm: The RouterLM in charge of all of them; None leaves each its language model.
        lms, embedders: The candidates, and embedders, that saved routes are loaded with, by name.
        on: The input fields to route on: for all predictors that have them, or by predictor's name. None is all fields.

    Raises:
        ConfigError: If a predictor or a field is unknown.
    """
    supplies = None if lms is None and embedders is None else Supplies(lms, embedders)
    if isinstance(program, dspy.Predict):
        alone = on.get("self") if isinstance(on, Mapping) else on
        return RoutedPredict.of(deepcopy(program), lm, on=alone, supplies=supplies)
    twin: M = program.deepcopy()
    known = dict(twin.named_predictors())
    if isinstance(on, Mapping) and (unknown := set(on) - set(known)):
        raise ConfigError(f"on names the predictor {choices(unknown)}; the program has {choices(known) or 'none'}.")
    names = {id(predictor): name for name, predictor in known.items()}
    twin.map_named_predictors(
        lambda one: RoutedPredict.of(one, lm, on=_fields_of(on, names[id(one)], one.signature), supplies=supplies)
    )
    return twin


def _fields_of(
    on: Mapping[str, Sequence[str] | str] | Sequence[str] | str | None, name: str, signature: Any
) -> Sequence[str] | str | None:
    """Return the fields of one predictor: those named for it, or those of all that it has."""
    if on is None or isinstance(on, Mapping):
        return None if on is None else on.get(name)
    wanted = (on,) if isinstance(on, str) else on
    return [field for field in wanted if field in signature.input_fields] or None
