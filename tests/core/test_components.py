"""Components: parameters are validated and frozen, state is replaced as a whole, specs and digests tell components apart."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Annotated, Literal

import numpy as np
import pytest
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.components import Component, State, encode, validated
from pointsman.errors import ConfigError, NotFittedError
from pointsman.models import ModelPool, ModelSpec, Price


class LampState(State):
    """How bright it was, and where."""

    levels: NDArray[np.float64]
    note: str = ""


class Bulb(Component):
    """A part."""

    watts: Annotated[int, Ge(1)] = 40


class Chandelier(Component):
    """Hold several bulbs."""

    bulbs: tuple[Bulb, ...] = (Bulb(), Bulb(watts=7))


class Lamp(Component):
    """A component with one parameter of each sort."""

    colour: Literal["red", "green"] = "red"
    height: Annotated[float, Ge(0)] = 1.5
    bulb: Bulb = Bulb()
    spares: tuple[Bulb, ...] = ()
    pool: ModelPool | None = None

    def light(self) -> Lamp:
        """Learn something."""
        return self.with_state(LampState(levels=np.arange(3.0)))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("colour", "blue"),
        ("height", -1.0),
        ("height", "1.5"),
        ("height", float("nan")),
        ("height", float("inf")),
        ("bulb", 60),
        ("spares", [Bulb()]),
    ],
)
def test_a_wrong_value_is_named_with_its_place(parameter: str, value: object) -> None:
    """A value outside the annotation raises ConfigError naming class, parameter and value; NaN and infinity are outside."""
    with pytest.raises(ConfigError, match=rf"Lamp\.{parameter}.*got"):
        Lamp(**{parameter: value})


def test_all_wrong_values_are_reported_at_once() -> None:
    """Nobody has to fix one parameter to hear of the next."""
    with pytest.raises(ConfigError, match=r"Lamp\.colour.*Lamp\.height"):
        Lamp(colour="blue", height=-1.0)  # type: ignore[arg-type]


def test_parameters_are_frozen() -> None:
    """A parameter cannot be set or deleted."""
    lamp = Lamp()
    with pytest.raises(FrozenInstanceError):
        lamp.height = 2.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del lamp.height


def test_plain_data_become_parameters_only_when_asked_to() -> None:
    """Without strictness a list serves as a tuple and text as a number, as files have them."""
    assert validated(Lamp, {"height": "2.5", "spares": [Bulb(watts=3)]}, strict=False)["height"] == 2.5
    with pytest.raises(ConfigError, match=r"Lamp\.height"):
        validated(Lamp, {"height": "2.5"})


def test_repr_shows_what_is_not_the_default() -> None:
    """A part that equals the default is left out, be it the same object or not."""
    assert repr(Lamp()) == repr(Lamp(bulb=Bulb())) == "Lamp()"
    assert repr(Lamp(height=2.0, bulb=Bulb(watts=5))) == "Lamp(height=2.0, bulb=Bulb(watts=5))"


def test_repr_compares_tuples_of_parts_by_what_they_are() -> None:
    """A tuple of parts equal to the default's is left out; another part, number or order of them is shown."""
    assert repr(Chandelier()) == repr(Chandelier(bulbs=(Bulb(), Bulb(watts=7)))) == "Chandelier()"
    assert repr(Chandelier(bulbs=(Bulb(),))) == "Chandelier(bulbs=(Bulb(),))"
    assert repr(Chandelier(bulbs=(Bulb(watts=7), Bulb()))) == "Chandelier(bulbs=(Bulb(watts=7), Bulb()))"
    assert repr(Lamp(spares=(Bulb(watts=3),))) == "Lamp(spares=(Bulb(watts=3),))"


def test_a_spec_is_plain_data_with_the_parts_inside() -> None:
    """Parts and pools are spelled out; defaults of a model are left out."""
    pool = ModelPool([ModelSpec(name="small", price=Price(input_per_mtok=1.0, output_per_mtok=2.0)), "large"])
    assert Lamp(spares=(Bulb(watts=2),), pool=pool).spec() == {
        "type": "Lamp",
        "colour": "red",
        "height": 1.5,
        "bulb": {"type": "Bulb", "watts": 40},
        "spares": [{"type": "Bulb", "watts": 2}],
        "pool": [{"name": "large"}, {"name": "small", "price": {"input_per_mtok": 1.0, "output_per_mtok": 2.0}}],
    }


def test_what_json_cannot_hold_is_refused() -> None:
    """A parameter that cannot be written down raises ConfigError naming its type."""

    class Odd(Component):
        """Has a parameter of any kind."""

        thing: object = None

    with pytest.raises(ConfigError, match="of type complex cannot be written as plain data"):
        Odd(thing=1j).spec()


def test_clones_are_unfitted_and_their_parts_are_clones() -> None:
    """Nothing is shared with a clone, whose parameters can be changed on the way."""
    lamp = Lamp(spares=(Bulb(watts=7),)).light()
    clone = lamp.clone(height=9.0)
    assert (clone.height, clone.state_) == (9.0, None)
    assert clone.bulb is not lamp.bulb
    assert clone.spares[0] is not lamp.spares[0]
    assert clone.spares[0].watts == 7


def test_state_is_asked_for_by_kind() -> None:
    """Before a fit, and for another kind, there is no state to have."""
    with pytest.raises(NotFittedError, match="This Lamp is not fitted yet"):
        Lamp().fitted(LampState)
    assert Lamp().light().fitted(LampState).levels.tolist() == [0.0, 1.0, 2.0]


def test_state_arrays_are_frozen_and_contiguous() -> None:
    """A state's arrays are read-only and in C order, whatever was given; the giver keeps a writeable array."""
    given = np.arange(6.0).reshape(2, 3).T
    state = LampState(levels=given)
    assert state.levels.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        state.levels[0] = 1.0
    given[0, 0] = 5.0
    np.testing.assert_array_equal(LampState(levels=np.array(1.0)).levels, 1.0)
    assert LampState(levels=np.array(1.0)).levels.shape == ()


def test_equality_is_identity() -> None:
    """Two equal components are two components; their digests agree."""
    assert Lamp() != Lamp()
    assert Lamp().digest() == Lamp().digest()


@pytest.mark.parametrize(
    "other",
    [
        Lamp(height=2.0).light(),
        Lamp(bulb=Bulb(watts=1)).light(),
        Lamp(),
        Lamp().with_state(LampState(levels=np.arange(3.0), note="x")),
        Lamp().with_state(LampState(levels=np.arange(3.0) + 1e-12)),
        Lamp().with_state(LampState(levels=np.arange(3.0, dtype=np.float32))),
    ],
)
def test_digests_tell_components_apart(other: Lamp) -> None:
    """A parameter, a part, the lack of a state, a note, the last digit or the precision of an array changes the digest."""
    assert other.digest() != Lamp().light().digest()


def test_encoding_puts_arrays_aside_under_their_path() -> None:
    """The tree is JSON; each array stands under the place where it was found."""
    arrays: dict[str, np.ndarray] = {}
    tree = encode(Lamp().light(), arrays)
    assert tree["state"]["fields"] == {"levels": {"$array": "/state/levels"}, "note": ""}
    assert list(arrays) == ["/state/levels"]
