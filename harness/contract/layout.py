"""Frozen dataclasses from JSON and back: each field is checked, and unknown or missing ones are errors.

The reader of a class is compiled once from its type hints, because a table of 10,000 runs reads as many
records.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

Read = Callable[[Any], Any]
Write = Callable[[Any], Any]


class Misfit(ValueError):
    """A JSON value that does not fit its field; `path` leads to the field."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path: list[str] = []

    def inside(self, name: str) -> Misfit:
        """Prefix the path with `name`, the field that holds the value; return the error itself."""
        self.path.insert(0, name)
        return self

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} {self.problem}".strip()


def optional(default: Any) -> Any:
    """A field that JSON omits where it has its `default`."""
    return field(default=default, metadata={"omit": True})


def read(cls: type[T], value: object) -> T:
    """An instance of a frozen dataclass from a JSON object; Misfit where a field does not fit.

    The class has neither slots nor a ``__post_init__``. A field's JSON name is its ``metadata["name"]``, else
    its attribute; a field with ``metadata["apart"]`` is not in JSON. A class with a ``variant``, a class
    method from the JSON object to a subclass, is read as that subclass.
    """
    made: T = _object_reader(cls)(value)  # type: ignore[arg-type]  # a class is hashable
    return made


def as_json(instance: Any) -> dict[str, Any]:
    """The JSON object of an instance, its fields in the order of the class."""
    made: dict[str, Any] = {}
    for name, attribute, write, omitted in _writer(type(instance)):
        value = getattr(instance, attribute)
        if omitted is MISSING or value != omitted:
            made[name] = value if write is None else write(value)
    return made


def _json_name(field_: Field[Any]) -> str:
    return str(field_.metadata.get("name", field_.name))


def _fields(cls: type[Any]) -> list[Field[Any]]:
    return [field_ for field_ in fields(cls) if not field_.metadata.get("apart")]


def _required(field_: Field[Any]) -> bool:
    return field_.default is MISSING and field_.default_factory is MISSING


# Reading


@cache
def _object_reader(cls: type) -> Read:
    variant = getattr(cls, "variant", None)
    if variant is None:
        return _plain_reader(cls)

    def read_variant(value: Any) -> Any:
        return _plain_reader(variant(value))(value)

    return read_variant


@cache
def _plain_reader(cls: type) -> Read:
    hints = get_type_hints(cls)
    known = [
        (_json_name(f), f.name, hints[f.name], reader_of(hints[f.name]), _required(f)) for f in _fields(cls)
    ]
    names = {name for name, *_ in known}
    defaults = {f.name: f.default for f in fields(cls) if f.default is not MISSING}
    factories = {f.name: f.default_factory for f in fields(cls) if f.default_factory is not MISSING}

    def read_object(value: Any) -> Any:
        if type(value) is not dict:
            raise Misfit(f"is {shortened(value)}, not an object")
        made, count, name = defaults.copy(), 0, ""
        try:
            for name, attribute, plain, read_field, required in known:
                if name in value:
                    count += 1
                    inner = value[name]
                    # Most values are of a plain type, which needs no call.
                    made[attribute] = inner if type(inner) is plain else read_field(inner)
                elif required:
                    raise Misfit("is missing")
        except Misfit as error:
            raise error.inside(name) from None
        if count != len(value):
            unknown = sorted(set(value) - names)
            raise Misfit("is not a field that this version knows").inside(unknown[0])
        for attribute, make in factories.items():
            if attribute not in made:
                made[attribute] = make()
        # As `__init__` does, which calls object.__setattr__ for every field of a frozen class.
        instance: Any = object.__new__(cls)
        instance.__dict__.update(made)
        return instance

    return read_object


def reader_of(hint: Any) -> Read:
    """The function that checks and converts the JSON value of a field.

    The type is a scalar, Any, Literal, ``X | None`` or ``X | Y``, ``tuple``, ``Mapping[str, X]``, or a
    dataclass.
    """
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint is Any:
        return _anything
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _choice(arguments)
    if origin in (Union, types.UnionType):
        return _alternatives(arguments)
    if origin is tuple:
        return _sequence(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(arguments[1])
    assert is_dataclass(hint), f"no reader for {hint}"
    return _object_reader(hint)  # type: ignore[arg-type]  # is_dataclass narrows to instances too


def _whole(value: Any) -> Any:
    if type(value) is int:
        return value
    raise Misfit(f"is {shortened(value)}, not a whole number")


def _number(value: Any) -> Any:
    # A whole number stays one, so that it is written as it was read.
    if type(value) is float or type(value) is int:
        return value
    raise Misfit(f"is {shortened(value)}, not a number")


def _string(value: Any) -> Any:
    if type(value) is str:
        return value
    raise Misfit(f"is {shortened(value)}, not a string")


def _truth(value: Any) -> Any:
    if type(value) is bool:
        return value
    raise Misfit(f"is {shortened(value)}, not true or false")


def _anything(value: Any) -> Any:
    return value


_SCALARS: dict[Any, Read] = {int: _whole, float: _number, str: _string, bool: _truth}


def _choice(allowed: tuple[Any, ...]) -> Read:
    def read_choice(value: Any) -> Any:
        for choice in allowed:
            if type(value) is type(choice) and value == choice:
                return value
        raise Misfit(f"is {shortened(value)}, not {' or '.join(map(repr, allowed))}")

    return read_choice


def _alternatives(hints: tuple[Any, ...]) -> Read:
    optional = type(None) in hints
    readers = [reader_of(hint) for hint in hints if hint is not type(None)]
    if len(readers) == 1:
        only = readers[0]
        return lambda value: None if value is None else only(value)

    def read_alternative(value: Any) -> Any:
        if value is None and optional:
            return None
        problems = []
        for each in readers:
            try:
                return each(value)
            except Misfit as error:
                problems.append(error)
        raise problems[0]

    return read_alternative


def _sequence(arguments: tuple[Any, ...]) -> Read:
    each = reader_of(arguments[0])
    size = None if arguments[-1] is Ellipsis else len(arguments)

    exact = {arguments[0]} if arguments[0] in (int, str) else None

    def read_sequence(value: Any) -> Any:
        if type(value) is not list or (size is not None and len(value) != size):
            expected = "a list" if size is None else f"a list of {size}"
            raise Misfit(f"is {shortened(value)}, not {expected}")
        if exact is not None and exact.issuperset(map(type, value)):
            return tuple(value)
        return tuple(map(each, value))

    return read_sequence


def _mapping(hint: Any) -> Read:
    each = reader_of(hint)

    def read_mapping(value: Any) -> Any:
        if type(value) is not dict:
            raise Misfit(f"is {shortened(value)}, not an object")
        if each is _anything:
            return value
        name = ""
        made = {}
        try:
            for name, inner in value.items():
                made[name] = each(inner)
        except Misfit as error:
            raise error.inside(name) from None
        return made

    return read_mapping


def shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


# Writing


def _writer(cls: type[Any]) -> Fields:
    return _object_writer(cls)  # type: ignore[arg-type]  # a class is hashable


Fields = list[tuple[str, str, Write | None, Any]]
"""For each field: its name in JSON, its attribute, its writer, and the value that JSON omits."""


@cache
def _object_writer(cls: type[Any]) -> Fields:
    hints = get_type_hints(cls)
    return [
        (
            _json_name(field_),
            field_.name,
            writer_of(hints[field_.name]),
            field_.default if field_.metadata.get("omit") else MISSING,
        )
        for field_ in _fields(cls)
    ]


def writer_of(hint: Any) -> Write | None:
    """The function that turns a value of a type into JSON; None if the value needs no conversion."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        writers = [write for argument in arguments if (write := writer_of(argument)) is not None]
        if not writers:
            return None
        (only,) = writers
        return lambda value: None if value is None else only(value)
    if origin is tuple:
        each = writer_of(arguments[0])
        return list if each is None else lambda value: list(map(each, value))
    if origin is not None and origin is not Literal and issubclass(origin, Mapping):
        inner = writer_of(arguments[1])
        if inner is None:
            return dict
        return lambda value: {name: inner(item) for name, item in value.items()}
    return as_json if is_dataclass(hint) else None
