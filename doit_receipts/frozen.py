"""Values: classes of fields that are set once, and that cost a command next to nothing to define.

``@dataclass(frozen=True, slots=True)`` writes the methods of each class as text and compiles it.
Where a hundred modules define values, that is half of the time that a listing takes. Here all
values share the same methods, and ``dataclasses`` knows their fields: ``fields``, ``replace`` and
``match`` do with them what they do with every dataclass.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import partial
from inspect import Parameter, Signature, get_annotations
from operator import attrgetter, eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, dataclass_transform, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["frozen"]

_Value = TypeVar("_Value")
_NO_SLOTS: Final = ("__dict__", "__weakref__")


@overload
def frozen(cls: type[_Value], /) -> type[_Value]: ...
@overload
def frozen(*, order: bool) -> Callable[[type[_Value]], type[_Value]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Any] | None = None, /, *, order: bool = False) -> Any:
    """The class is a dataclass, frozen and with slots, whose methods were not compiled for it.

    A method that it defines itself is kept; ``__post_init__`` is called as by any dataclass.
    """
    return partial(_frozen, order=order) if cls is None else _frozen(cls, order=order)


def _frozen(cls: Any, *, order: bool) -> Any:
    own = frozenset(cls.__dict__)
    named = tuple(get_annotations(cls))
    known: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        known |= vars(base).get("__value_fields__", {})
    for name in named:
        default = cls.__dict__.get(name, MISSING)
        known[name] = default if isinstance(default, Field) else field(default=default)
    rest = {each: what for each, what in vars(cls).items() if each not in (*named, *_NO_SLOTS)}
    made = type(cls)(cls.__name__, cls.__bases__, {**rest, "__slots__": named})
    made.__qualname__ = cls.__qualname__
    key = _key_of([name for name, each in known.items() if each.compare])
    methods = {
        "__value_fields__": known,
        "__match_args__": tuple(known),
        "__dataclass_fields__": _Fields(cls, made),
        "__init__": _init_of(made, known),
        "__repr__": _repr,
        "__eq__": _comparison(key, eq),
        "__hash__": _hash_of(key),
        "__setattr__": _setattr,
        "__delattr__": _delattr,
        "__reduce__": _reduce,
        "__signature__": _Signature(),
    }
    if order:
        methods |= {f"__{each.__name__}__": _comparison(key, each) for each in (lt, le, gt, ge)}
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


class _Fields:
    """What ``dataclasses`` knows of a value's class; made when it is asked."""

    def __init__(self, written: type[Any], made: type[Any]) -> None:
        self._written = written
        self._made = made

    def __get__(self, instance: object, owner: Any) -> Any:
        told: Any = dataclass(init=False, repr=False, eq=False)(self._written)
        self._made.__dataclass_params__ = told.__dataclass_params__
        self._made.__dataclass_fields__ = told.__dataclass_fields__
        return told.__dataclass_fields__


class _Signature:
    """What ``inspect.signature`` says of a value's class; made when it is asked."""

    def __get__(self, instance: object, owner: Any) -> Signature:
        return Signature(
            [
                Parameter(
                    each.name, Parameter.POSITIONAL_OR_KEYWORD, annotation=each.type,
                    default=Parameter.empty if _is_needed(each) else each.default,
                )
                for each in fields(owner)
            ]
        )  # fmt: skip


def _is_needed(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _init_of(cls: Any, known: Mapping[str, Any]) -> Callable[..., None]:
    puts = [getattr(cls, name).__set__ for name in known]
    in_order = _in_order(cls, known)
    checks = hasattr(cls, "__post_init__")

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:  # noqa: N807 - it becomes that
        if named or len(given) != len(puts):
            given = in_order(given, named)
        for put, each in zip(puts, given):  # noqa: B905 - as many, and it takes twice as long
            put(self, each)
        if checks:
            self.__post_init__()

    return __init__


def _in_order(
    cls: Any, known: Mapping[str, Any]
) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]:
    """What gives a value for each field, or raises TypeError as a function of them would."""
    names = tuple(known)
    defaults = {name: each.default for name, each in known.items() if each.default is not MISSING}
    factories = [
        (name, each.default_factory)
        for name, each in known.items()
        if each.default_factory is not MISSING
    ]

    def in_order(given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        found = {**defaults, **named}
        if given:
            found.update(zip(names, given, strict=False))
        if len(found) != len(names):
            for name, factory in factories:
                if name not in found:
                    found[name] = factory()
        twice = given and not named.keys().isdisjoint(names[: len(given)])
        if not twice and len(given) <= len(names) and len(found) == len(names):
            try:
                return tuple(map(found.__getitem__, names))
            except KeyError:
                pass  # as many as there are fields, and one of them has an unknown name
        try:
            cls.__signature__.bind(*given, **named)
        except TypeError as error:
            message = f"{cls.__qualname__}: {error}"
            raise TypeError(message) from None
        raise AssertionError

    return in_order


def _key_of(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _comparison(
    key: Callable[[Any], Any], operator: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return operator(key(self), key(other))

    return compare


def _hash_of(key: Callable[[Any], Any]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:  # noqa: N807 - it becomes that
        return hash(key(self))

    return __hash__


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _setattr(self: object, name: str, to: object) -> NoReturn:
    del self, to
    message = f"cannot assign to field {name!r}"
    raise FrozenInstanceError(message)


def _delattr(self: object, name: str) -> NoReturn:
    del self
    message = f"cannot delete field {name!r}"
    raise FrozenInstanceError(message)


def _reduce(self: Any) -> tuple[Any, ...]:
    return type(self), tuple(getattr(self, each.name) for each in fields(self))
