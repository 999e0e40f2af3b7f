"""Components: validated parameters in, one frozen state out; clone, spec and digest follow from that."""

from __future__ import annotations

import hashlib
import json
from abc import ABC
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_type_hints

import numpy as np

from pointsman.errors import ConfigError, NotFittedError, choices
from pointsman.models import ModelPool

__all__ = ["Component", "State", "Tags", "encode", "validated"]

S = TypeVar("S", bound="State")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """A component's place in the survey's frame: when it decides, what it knows, how it computes."""

    when: frozenset[str] = frozenset({"pre-generation"})
    what: frozenset[str] = frozenset({"query"})
    how: frozenset[str] = frozenset({"heuristic"})


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False, field_specifiers=(field,))
class State:
    """What a component has learnt: a frozen value of arrays, numbers, text, components and other states.

    Its arrays are read-only and in C order, as an artefact gives them back: a product of matrices may round differently in
    another order.
    """

    kinds: ClassVar[dict[str, type[State]]] = {}

    def __init_subclass__(cls) -> None:
        dataclass(kw_only=True, frozen=True, eq=False)(cls)
        State.kinds[cls.__qualname__] = cls

    def __post_init__(self) -> None:
        """Freeze the arrays; whoever made them keeps their own, writeable."""
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                array = np.ascontiguousarray(value).reshape(value.shape).view()
                array.flags.writeable = False
                object.__setattr__(self, name, array)


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False, field_specifiers=(field,))
@dataclass(kw_only=True, frozen=True, eq=False)
class Component(ABC):  # noqa: B024 - its kinds declare what they must implement
    """Anything a configuration can name: a feature map, an estimator, a policy, a router.

    A subclass is a keyword-only frozen dataclass by inheritance: its annotated attributes are its parameters, validated
    against their annotations at construction. Whatever `fit` learns is one frozen value, `state_`, replaced as a whole:
    readers in other threads see the old one or the new one, and a fit that fails changes nothing.
    """

    tags: ClassVar[Tags] = Tags()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        dataclass(kw_only=True, frozen=True, eq=False, repr=False)(cls)

    def __post_init__(self) -> None:
        """Validate every parameter; subclasses extend this with what concerns several at once."""
        for name, value in validated(type(self), self.params()).items():
            object.__setattr__(self, name, value)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that show the class at work, unfitted; the conformance suite runs each of them.

        Override it where a parameter has no default, or where other settings take other paths. Parameters that name models
        name those of `pointsman.testing.toy`.
        """
        if lacking := [f.name for f in fields(cls) if _default(f) is MISSING]:
            raise ConfigError(f"{cls.__name__} must define examples(): {choices(lacking)} has no default.")
        return (cls(),)

    def __repr__(self) -> str:
        given = (f"{f.name}={value!r}" for f in fields(self) if not _same(value := getattr(self, f.name), _default(f)))
        return f"{type(self).__name__}({', '.join(given)})"

    @property
    def state_(self) -> State | None:
        """What was learnt, or None before `fit`."""
        return self.__dict__.get("_state")

    def fitted(self, kind: type[S]) -> S:
        """Return the state as the given kind; raise NotFittedError before `fit`."""
        state = self.__dict__.get("_state")
        if not isinstance(state, kind):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet; call fit first.")
        return state

    def with_state(self, state: State | None) -> Self:
        """Replace the state as a whole and return self."""
        object.__setattr__(self, "_state", state)
        return self

    def params(self) -> dict[str, Any]:
        """Return the parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def clone(self, **changes: Any) -> Self:
        """Return an unfitted copy, with changed parameters; child components are cloned too."""
        copies = {name: _clone(value) for name, value in self.params().items()}
        return type(self)(**{**copies, **changes})

    def spec(self) -> dict[str, Any]:
        """Return the parameters as plain data: `{"type": "Nearest", "k": 100, ...}`; `config.build` is the inverse."""
        return {"type": type(self).__name__} | {name: _plain(value) for name, value in self.params().items()}

    def digest(self) -> str:
        """Return a hash of parameters and state: equal for components that decide alike by construction."""
        arrays: dict[str, np.ndarray] = {}
        tree = encode(self, arrays)
        sha = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
        for key in sorted(arrays):
            array = np.ascontiguousarray(arrays[key])
            sha.update(f"{key}{array.dtype.str}{array.shape}".encode() + array.tobytes())
        return sha.hexdigest()[:16]


def encode(value: Any, arrays: dict[str, np.ndarray], at: str = "") -> Any:  # noqa: PLR0911 - a case a line
    """Turn a component, its state or plain data into a JSON tree; arrays go into `arrays` under the path `at`."""
    if isinstance(value, np.ndarray):
        arrays[at] = value
        return {"$array": at}
    if isinstance(value, Component):
        return {"$component": value.spec(), "state": encode(value.state_, arrays, f"{at}/state")}
    if isinstance(value, State):
        content = {f.name: encode(getattr(value, f.name), arrays, f"{at}/{f.name}") for f in fields(value)}  # type: ignore[arg-type]
        return {"$state": type(value).__qualname__, "fields": content}
    if isinstance(value, ModelPool):
        return {"$pool": _plain(value)}
    if isinstance(value, Mapping):
        return {"$map": [[key, encode(item, arrays, f"{at}/{key}")] for key, item in value.items()]}
    if isinstance(value, tuple | list):
        return [encode(item, arrays, f"{at}/{i}") for i, item in enumerate(value)]
    return _plain(value)


def _plain(value: Any) -> Any:  # noqa: PLR0911 - a case a line
    """Return parameters as JSON data; what JSON cannot hold raises ConfigError."""
    if isinstance(value, Component):
        return value.spec()
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != _default(f)}
    if isinstance(value, ModelPool):
        return [_plain(spec) for spec in value.values()]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(_plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    raise ConfigError(f"{value!r} of type {type(value).__name__} cannot be written as plain data.")


def _clone(value: Any) -> Any:
    if isinstance(value, Component):
        return value.clone()
    if isinstance(value, tuple):
        return tuple(map(_clone, value))
    return value


def _same(value: Any, default: Any) -> bool:
    """Tell whether a parameter is its default; components, and tuples of them, are compared by their specs."""
    if isinstance(value, Component) and isinstance(default, Component):
        return value.spec() == default.spec()
    if isinstance(value, tuple) and isinstance(default, tuple):
        return len(value) == len(default) and all(map(_same, value, default))
    return bool(value == default)


def _default(of: Any) -> Any:
    if of.default is not MISSING:
        return of.default
    return of.default_factory() if of.default_factory is not MISSING else MISSING


def validated(cls: type[Component], given: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """Check parameters against the class's annotations; without `strict`, plain data is turned into their types."""
    from pydantic import ValidationError

    try:
        model = _schema(cls, strict).model_validate(dict(given))
    except ValidationError as error:
        places = ((".".join(map(str, e["loc"])), e["msg"], e.get("input")) for e in error.errors())
        raise ConfigError(
            "; ".join(f"{cls.__name__}.{at}: {why}, got {value!r}" for at, why, value in places)
        ) from None
    return {name: getattr(model, name) for name in given}


@cache
def _schema(cls: type[Component], strict: bool) -> Any:  # noqa: FBT001 - pydantic's own switch
    """Build the pydantic model that checks a component's parameters, all at once."""
    from pydantic import ConfigDict, create_model

    hints = get_type_hints(cls, include_extras=True)
    content: dict[str, Any] = {f.name: (hints[f.name], None) for f in fields(cls)}
    settings = ConfigDict(
        arbitrary_types_allowed=True, strict=strict, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )
    return create_model(cls.__name__, __config__=settings, **content)
