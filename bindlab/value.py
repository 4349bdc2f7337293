"""What the values of bindlab have in common: made once, compared by content.

Knows nothing of networks. The standard ``dataclasses`` module would serve as well, but it loads
``inspect``, ``ast`` and ``dis``, which takes half as long as importing all of bindlab.
"""

from collections.abc import Mapping
from typing import ClassVar, Never, Self, dataclass_transform

__all__ = ["Value"]


@dataclass_transform(frozen_default=True)
class Value:
    """A frozen value: equal, hashed, copied and pickled by its fields.

    A subclass lists its fields in ``__slots__``, in the order of its ``__init__``, and
    sets them there, once, through :meth:`_set`. A slot with an underscore keeps what a
    property, called as the field, shows.
    """

    __slots__: tuple[str, ...] = ()
    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._names += tuple(slot.lstrip("_") for slot in cls.__dict__["__slots__"])

    def _set(self, **fields: object) -> None:
        put = object.__setattr__
        for name, value in fields.items():
            put(self, name, value)

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._names)

    @classmethod
    def _made(cls, fields: Mapping[str, object]) -> Self:
        return cls(**fields)

    def replace(self, **changes: object) -> Self:
        """Return a copy with *changes*, checked like any new value."""
        unknown = sorted(changes.keys() - set(self._names))
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no {', '.join(unknown)}: "
                f"its fields are {', '.join(self._names)}"
            )
        return self._made({name: getattr(self, name) for name in self._names} | changes)

    __replace__ = replace  # for copy.replace(), Python 3.13

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), *self._fields()))

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"{type(self).__name__} is frozen: use replace({name}=...)")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"{type(self).__name__} is frozen: it keeps its {name}")

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        # As Python makes it of slots by itself, but for pickle's protocols 0 and 1 as well.
        return None, {name: getattr(self, name) for name in self._names}

    def __setstate__(self, state: tuple[None, dict[str, object]]) -> None:
        self._set(**state[1])
