"""Values: what dataclasses give to a frozen one with slots, without code made for each class."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Compared:
    """A value as this project has them."""

    name: str
    size: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


@frozen
class Larger(Compared):
    """A value with the fields of another one, and one more."""

    unit: str = "bytes"


@frozen
class Checked:
    """A value that refuses some."""

    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError(self.number)

    def __repr__(self) -> str:
        return f"<{self.number}>"


@frozen
class Empty:
    """A value without fields."""


def standard() -> type[Any]:
    """What the standard library makes of the same class."""

    @dataclass(frozen=True, slots=True)
    class Compared:
        name: str
        size: int = 0
        facts: Mapping[str, str] = field(default_factory=dict)
        secret: str = field(default="", repr=False)

    Compared.__qualname__ = "Compared"
    return Compared


WAYS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 2), {}),
    (("a", 2, {"b": "c"}, "d"), {}),
    (("a",), {"secret": "d"}),
    ((), {"size": 3, "name": "a"}),
]


@pytest.mark.parametrize(("given", "named"), WAYS)
def test_a_value_holds_and_shows_what_a_dataclass_does(
    given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = Compared(*given, **named), standard()(*given, **named)
    assert repr(ours) == repr(theirs)
    assert [getattr(ours, each.name) for each in fields(ours)] == [
        getattr(theirs, each.name) for each in fields(theirs)
    ]


@pytest.mark.parametrize(
    ("given", "named", "said"),
    [
        ((), {}, "missing a required argument: 'name'"),
        (("a", 1, {}, "", 2), {}, "too many positional arguments"),
        (("a",), {"name": "b"}, "multiple values for argument 'name'"),
        (("a",), {"sise": 1}, "got an unexpected keyword argument 'sise'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_by_name(
    given: tuple[Any, ...], named: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError, match=f"^Compared: {said}"):
        Compared(*given, **named)


def test_a_value_cannot_be_changed_and_has_no_room_for_more() -> None:
    value: Any = Compared("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        value.name = "b"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        value.other = "b"
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del value.name
    assert not hasattr(value, "__dict__")


def test_values_are_equal_by_class_and_fields() -> None:
    assert Checked(1) == Checked(1) != Checked(2)
    assert hash(Checked(1)) == hash(Checked(1))
    assert Compared("a") != Larger("a")
    others: list[object] = [1, "<1>", Empty()]
    assert Checked(1) not in others
    assert Empty() == Empty()
    assert {Empty(), Empty()} == {Empty()}


def test_what_dataclasses_do_with_a_value_they_do_with_these() -> None:
    assert is_dataclass(Compared)
    assert replace(Larger("a"), size=4) == Larger("a", 4)
    match Larger("a", 1):
        case Larger(name, size, unit=unit):
            assert (name, size, unit) == ("a", 1, "bytes")
    assert list(inspect.signature(Larger).parameters) == [
        "name", "size", "facts", "secret", "unit",
    ]  # fmt: skip


def test_a_method_of_its_own_is_kept_and_each_new_value_is_checked() -> None:
    assert repr(Checked(1)) == "<1>"
    with pytest.raises(ValueError, match="-1"):
        Checked(-1)
    with pytest.raises(ValueError, match="-1"):
        replace(Checked(1), number=-1)


def test_copies_are_equal() -> None:
    value = Compared("a", facts={"b": "c"})
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == copy.copy(value) == value


def test_all_values_share_the_code_of_their_methods() -> None:
    for name in ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"):
        one, other = getattr(Compared, name), getattr(Empty, name)
        assert one.__code__ is other.__code__, name
