"""RoutedPredict: a predictor of DSPy whose language model is chosen for what its input fields say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import dspy
from dspy import BaseLM

from dspy_router.checking import Check
from dspy_router.embedding import Embedder
from dspy_router.fields import checked_fields, query_of_fields
from dspy_router.loading import Supplies
from dspy_router.router_lm import RouterLM
from dspy_router.saving import restored, route_state
from pointsman.types import Query

__all__ = ["RoutedPredict"]


class RoutedPredict(dspy.Predict):
    """Predicts with the language model that a RouterLM chooses for the input fields; in all else a `dspy.Predict`.

    The RouterLM is the predictor's own, or the one it is called or configured with; under another language model it is an
    ordinary predictor. The choice is made before the adapter plans the call, which so knows what the chosen model can do.
    A reply that the adapter cannot read goes to the next model, like any failure that another one may not have. `route_of`
    tells what was decided for a prediction.

    Parameters:
        signature: What is predicted from what.
        lm: The RouterLM in charge; None leaves that to the program or the settings.
        on: The input fields whose text is routed on, in this order; None is all of them.
        check: `check(inputs, prediction)` tells a cascade whether a draft is good enough; see `CheckedRouter`.
        lms, embedders: The candidates, and embedders, that a saved route is loaded with, by name.
        callbacks, config: As of `dspy.Predict`.

    Raises:
        ConfigError: If a field is no input of the signature.
    """

    def __init__(
        self,
        signature: Any,
        lm: RouterLM | None = None,
        *,
        on: Sequence[str] | str | None = None,
        check: Check | None = None,
        lms: Mapping[str, BaseLM] | None = None,
        embedders: Mapping[str, Embedder] | None = None,
        callbacks: list[Any] | None = None,
        **config: Any,
    ) -> None:
        super().__init__(signature, callbacks=callbacks, **config)
        self.lm = lm
        self.check = check
        self.supplies = Supplies(lms, embedders)
        self.route_on = checked_fields(on, self.signature)

    @classmethod
    def of(
        cls,
        predictor: dspy.Predict,
        lm: RouterLM | None = None,
        *,
        on: Sequence[str] | str | None = None,
        supplies: Supplies | None = None,
    ) -> Self:
        """Return a routed twin of a predictor: the same signature, demonstrations, options and callbacks."""
        twin = cls.__new__(cls)
        twin.__dict__.update(predictor.__dict__)
        twin.lm = predictor.lm if lm is None else lm
        twin.supplies = getattr(predictor, "supplies", Supplies()) if supplies is None else supplies
        twin.check = getattr(predictor, "check", None)
        known = getattr(predictor, "route_on", None)
        twin.route_on = known if on is None else checked_fields(on, predictor.signature)
        return twin

    def query(self, inputs: Mapping[str, Any]) -> Query:
        """Return what is routed on for these inputs, by the names of the fields."""
        given = {name: inputs[name] for name in self.signature.input_fields if name in inputs}
        said = "\n".join([self.signature.instructions, *(str(dict(demo)) for demo in self.demos)])
        needs = ["tools"] if "tools" in {**self.config, **inputs.get("config", {})} else []
        return query_of_fields(given, self.route_on, instructions=said, needs=needs)

    def forward(self, **kwargs: Any) -> Any:
        """Predict with the model that is chosen."""
        chooser = kwargs.get("lm") or self.lm or dspy.settings.lm
        if not isinstance(chooser, RouterLM):
            return super().forward(**kwargs)
        predict = super().forward
        return chooser.conduct(
            self.query(kwargs), lambda lm: predict(**{**kwargs, "lm": lm}), check=self._check(kwargs)
        )

    async def aforward(self, **kwargs: Any) -> Any:
        """Predict with the model that is chosen."""
        chooser = kwargs.get("lm") or self.lm or dspy.settings.lm
        if not isinstance(chooser, RouterLM):
            return await super().aforward(**kwargs)
        predict = super().aforward
        run = lambda lm: predict(**{**kwargs, "lm": lm})  # noqa: E731 - as above
        return await chooser.aconduct(self.query(kwargs), run, check=self._check(kwargs))

    def _check(self, inputs: Mapping[str, Any]) -> Callable[[Any], bool] | None:
        check = self.check
        return None if check is None else lambda prediction: check(inputs, prediction)

    # Saving and copying

    def reset(self) -> None:
        """Forget demonstrations and traces; the route, like the signature, stays."""
        lm = self.__dict__.get("lm")
        super().reset()
        self.lm = lm if isinstance(lm, RouterLM) else None

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - DSPy's signature
        """Return DSPy's state with the route: the router, its candidates without keys, and the fields it is chosen on."""
        state: dict[str, Any] = super().dump_state(json_mode=json_mode)
        return route_state(state, self.route_on)

    def load_state(self, state: dict[str, Any], *, allow_unsafe_lm_state: bool = False) -> Self:
        """Take over a state with its route; the candidates are those at hand, else the file's, which must be trusted then."""
        own, lm = restored(state, self.supplies, self.lm, trusted=allow_unsafe_lm_state)
        super().load_state(own, allow_unsafe_lm_state=allow_unsafe_lm_state)
        self.route_on = checked_fields(self.route_on, self.signature)
        if lm is not None:
            self.lm = lm
        return self
