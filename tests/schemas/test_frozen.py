"""Values that are made quickly are the dataclasses that they were."""

from dataclasses import FrozenInstanceError, dataclass, field, replace
from inspect import signature

import pytest

from casebus_schemas.frozen import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True)
class Point:
    """A value."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list, init=False, compare=False)


@dataclass(frozen=True, slots=True)
class Usual:
    """The same, as dataclasses make it."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list, init=False, compare=False)


def test_it_is_the_same_value() -> None:
    """Defaults, order of parameters, equality, text and replacement are those of dataclasses."""
    assert str(signature(Point.__init__)).count(",") == str(signature(Usual.__init__)).count(",")
    point = Point(1, names=["a"])
    assert (point.x, point.y, point.names, point.seen) == (1, 2, ["a"], [])
    assert repr(point) == repr(Usual(1, names=["a"])).replace("Usual", "Point")
    assert replace(point, y=5) == Point(1, 5, ["a"]) != point
    assert Point(1).names is not Point(1).names
    assert type(point) is Point


@quickly_made
@dataclass(frozen=True, slots=True)
class Doubled:
    """A value with a field that follows from another."""

    x: int
    twice: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.x)


def test_what_follows_from_other_fields_is_given() -> None:
    """`__post_init__` runs when a value is made and when it is replaced."""
    assert (Doubled(2).twice, replace(Doubled(2), x=3).twice) == (4, 6)


def test_it_is_frozen() -> None:
    """Nobody changes a field of it or adds one."""
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        point.z = 2  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


def test_missing_and_unknown_fields_are_errors() -> None:
    """A field without a default is needed, and there are no others."""
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, z=3)  # type: ignore[call-arg]


def test_a_class_with_a_base_is_refused() -> None:
    """Slots of a base would stay empty."""

    @dataclass(frozen=True, slots=True)
    class Derived(Usual):
        z: int = 0

    with pytest.raises(TypeError, match="base"):
        quickly_made(Derived)
