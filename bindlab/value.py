"""What the values of bindlab have in common: fields that are declared once, checked and frozen.

JSON has its home here, and so have the checks that several values need.
"""

from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import (
    TYPE_CHECKING,
    ClassVar,
    Final,
    Generic,
    Never,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
)

if TYPE_CHECKING:
    from inspect import Signature

    from typing_extensions import TypeIs

MAX_NAME: Final = 255  # characters; Linux has 15 for an interface's name, Windows 255 and a NUL

Taken = TypeVar("Taken")
Kept = TypeVar("Kept")


class Given(Generic[Taken, Kept]):
    """The type of a field that is given in one form and kept in another.

    ``ip: Given[IPAddress | str, IPAddress]`` takes an address or its text in the constructor,
    and is an address afterwards; with a default it is ``... = Given(default="127.0.0.1")``.
    The two methods tell this to type checkers, and never run: :class:`Value` takes the default
    out of the class.
    """

    def __init__(self, *, default: Taken) -> None:
        self.default: object = default

    def __set__(self, value: object, given: Taken) -> None:
        raise NotImplementedError

    def __get__(self, value: object, owner: type[object]) -> Kept:
        raise NotImplementedError


class _Signature:
    """What ``help()`` shows of a constructor, worked out when somebody asks."""

    def __get__(self, value: object, kind: "type[Value]") -> "Signature":
        from inspect import Parameter, Signature

        def parameter(name: str, annotation: object) -> Parameter:
            is_given = get_origin(annotation) is Given
            return Parameter(
                name,
                Parameter.POSITIONAL_OR_KEYWORD,
                default=kind._defaults.get(name, Parameter.empty),  # pyright: ignore
                annotation=get_args(annotation)[0] if is_given else annotation,
            )

        return Signature([parameter(*field) for field in kind._fields.items()])  # pyright: ignore


@dataclass_transform(frozen_default=True, field_specifiers=(Given,))
class Value:
    """A frozen value: equal, hashed and shown by its fields, which a subclass declares once.

    >>> class Room(Value):
    ...     number: int
    ...     name: Given[str | None, str] = Given(default=None)
    ...
    ...     def _check(self) -> None:
    ...         if self.number < 1:
    ...             raise ValueError(f"room {self.number} does not exist: the first is 1")
    ...         self._set(name=self.name or f"room {self.number}")
    >>> Room(7), Room(number=8, name="attic").name
    (Room(number=7, name='room 7'), 'attic')

    The constructor takes the fields in the order of their annotations, or by name, and keeps
    them as they are given. Then it calls ``_check()``: there a class refuses what is wrong, and
    replaces by ``_set()`` what it keeps in another form. ``super()._check()`` sees to the fields
    that are ``bool | None``. A subclass of a value has its fields too, first.

    This is what ``@dataclass(frozen=True)`` does, but importing ``dataclasses`` takes longer
    than importing all that ``listen()`` needs, and it has nothing like :class:`Given`.
    """

    _fields: ClassVar[dict[str, object]] = {}  # with their annotations
    _defaults: ClassVar[dict[str, object]] = {}
    _flags: ClassVar[tuple[str, ...]] = ()  # the fields that are ``bool | None``
    __signature__: ClassVar[_Signature] = _Signature()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = cls.__annotations__
        cls._fields = cls._fields | own
        cls._defaults = cls._defaults.copy()
        for name in own.keys() & vars(cls).keys():
            default: object = vars(cls)[name]
            cls._defaults[name] = default.default if isinstance(default, Given) else default
            delattr(cls, name)
        cls._flags = tuple(n for n, kind in cls._fields.items() if _kept(kind) == bool | None)

    def __init__(self, *by_position: object, **by_name: object) -> None:
        placed = dict(zip(self._fields, by_position, strict=False))
        fields = self._defaults | by_name | placed
        twice = placed.keys() & by_name.keys()
        if twice or len(placed) < len(by_position) or fields.keys() != self._fields.keys():
            try:
                self.__signature__.bind(*by_position, **by_name)  # it says what is wrong
            except TypeError as error:
                names = ", ".join(self._fields)
                raise TypeError(f"{error}: {type(self).__name__} has {names}") from None
        vars(self).update(fields)
        self._check()

    def _check(self) -> None:
        """Refuse what is wrong, and convert what is kept in another form.

        Here that is what is no truth in a field that is ``bool | None``; 0 and 1 count as truths.
        """
        for name in self._flags:
            value = vars(self)[name]
            if value is None or value is True or value is False:
                continue
            if not isinstance(value, int) or value not in (0, 1):
                raise TypeError(
                    f"{name} is True, False, or None where it is unknown, not {value!r}"
                )
            self._set(**{name: bool(value)})

    def _set(self, **fields: object) -> None:
        """Set *fields*, which nothing else can; for ``_check()``."""
        vars(self).update(fields)

    @classmethod
    def _made(cls, fields: Mapping[str, object]) -> Self:
        """Return a value of *fields* whose types only ``_check()`` knows, as those of JSON."""
        return cls(**fields)

    def to_document(self) -> dict[str, object]:
        """Return this value as what JSON can hold; see :meth:`from_document`."""
        return {name: _as_json(getattr(self, name)) for name in self._fields}

    @classmethod
    def from_document(cls, document: object) -> Self:
        """Return the value that :meth:`to_document` wrote; what is none is a ``TypeError``."""
        if not is_document(document):
            raise TypeError(f"{document!r} is no {cls.__name__}")
        return cls._made(document)

    def _values(self) -> tuple[object, ...]:
        return tuple(map(vars(self).__getitem__, self._fields))

    def replace(self, **changes: object) -> Self:
        """Return a copy with *changes*, checked like any new value."""
        return self._made(dict(zip(self._fields, self._values(), strict=True)) | changes)

    __replace__ = replace  # for copy.replace(), Python 3.13

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __getstate__(self) -> dict[str, object]:
        return {name: _picklable(value) for name, value in vars(self).items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value) or type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), *self._values()))

    def __repr__(self) -> str:
        fields = zip(self._fields, self._values(), strict=True)
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in fields)
        return f"{type(self).__name__}({shown})"

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"{type(self).__name__} is frozen: use replace({name}=...)")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"{type(self).__name__} is frozen: it keeps its {name}")


def is_document(value: object) -> "TypeIs[dict[str, object]]":
    """Return whether *value* is what a JSON object became."""
    return isinstance(value, dict)


def is_list(value: object) -> "TypeIs[list[object]]":
    """Return whether *value* is what a JSON array became."""
    return isinstance(value, list)


def checked_name(what: str, name: object) -> str:
    """Return *name* if it can be an interface's: some text without NUL, of 255 at most."""
    if not isinstance(name, str):
        raise TypeError(f"{what} is an interface's name such as 'eth0', not {name!r}")
    if len(name) > MAX_NAME:
        raise ValueError(f"{what} has {len(name)} characters: write at most {MAX_NAME}")
    if not name or "\0" in name:
        raise ValueError(f"{what} is {name!r}: write an interface's name, such as eth0")
    return name


def check_number(what: str, value: object, least: int, most: int) -> None:
    """Refuse *value* if it is no int from *least* to *most*; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} is an int from {least} to {most}, not {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{what} is out of range: write an int from {least} to {most}")


def _kept(annotation: object) -> object:
    """Return the type of a field as it is kept."""
    return get_args(annotation)[1] if get_origin(annotation) is Given else annotation


def _as_json(value: object) -> object:
    if isinstance(value, Value):
        return value.to_document()
    if type(value) is tuple:
        several: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        return list(map(_as_json, several))
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _shown(value: object) -> str:
    """Return the repr of a field: that of a set in one order, which hashes do not decide."""
    if type(value) is not frozenset or not value:
        return repr(value)  # pyright: ignore[reportUnknownArgumentType]
    unordered: frozenset[object] = value  # pyright: ignore[reportUnknownVariableType]
    return f"frozenset({{{', '.join(sorted(map(repr, unordered)))}}})"


def _picklable(value: object) -> object:
    """Return a field as it is pickled: an IPv6 address by its text, so that it keeps its zone."""
    if type(value) is IPv6Address:  # an IPv6Interface keeps its zone
        return _ByText(value)
    if type(value) is tuple:
        several: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        return tuple(map(_picklable, several))
    if type(value) is frozenset:
        unordered: frozenset[object] = value  # pyright: ignore[reportUnknownVariableType]
        return frozenset(map(_picklable, unordered))
    return value


class _ByText:
    """An address whose pickle is its text: until Python 3.11.7 its own one has no zone.

    https://github.com/python/cpython/issues/110196
    """

    def __init__(self, address: IPv6Address) -> None:
        self._address = address

    def __reduce__(self) -> tuple[type[IPv6Address], tuple[str]]:
        return IPv6Address, (str(self._address),)
