"""What every value of bindlab can do, tried on small ones and on all that there are."""

import copy
import inspect
import pickle
from collections.abc import Iterable

import pytest

import bindlab
from bindlab.value import Given, Value


class Shelf(Value):
    """A value with a field of each kind: needed, with a default, and converted."""

    width: int
    colour: str = "white"
    books: Given[Iterable[str], tuple[str, ...]] = Given(default=())

    def _check(self) -> None:
        if self.width < 1:
            raise ValueError("a shelf is 1 wide or more")
        self._set(books=tuple(self.books))


class Labelled(Shelf):
    """A value with a field more than its base class."""

    label: str = ""


VALUES = [
    kind
    for name in bindlab.__all__
    if isinstance(kind := getattr(bindlab, name), type) and issubclass(kind, Value)
]


def test_fields_are_given_in_order_or_by_name() -> None:
    """The constructor takes what the annotations say, and converts what is kept otherwise."""
    shelf = Shelf(3, books=["Emma"])
    assert (shelf.width, shelf.colour, shelf.books) == (3, "white", ("Emma",))
    assert shelf == Shelf(books=iter(["Emma"]), width=3) == Shelf(3, "white", ("Emma",))
    assert repr(shelf) == "Shelf(width=3, colour='white', books=('Emma',))"
    assert Labelled(3, "red", (), "novels").replace(width=4) == Labelled(4, "red", label="novels")


@pytest.mark.parametrize(
    ("given", "named", "says"),
    [
        ((), {}, "missing a required argument: 'width'"),
        ((1, "red", (), 4), {}, "too many positional arguments"),
        ((1,), {"width": 2}, "multiple values for argument 'width'"),
        ((1,), {"depth": 2}, "unexpected keyword argument 'depth'"),
    ],
)
def test_other_fields_are_a_type_error(
    given: tuple[int, ...], named: dict[str, int], says: str
) -> None:
    """A constructor refuses what any function refuses, and names its fields."""
    with pytest.raises(TypeError, match=f"{says}: Shelf has width, colour, books"):
        Shelf(*given, **named)  # type: ignore[arg-type]


def test_a_set_is_shown_in_one_order() -> None:
    """Equal values have equal reprs, in whatever order their sets were filled."""

    class Crate(Value):
        holds: frozenset[str]

    names = [f"{word}{number}" for word in ("pear", "fig", "plum") for number in range(20)]
    assert repr(Crate(frozenset(names))) == repr(Crate(frozenset(reversed(names))))
    assert repr(Crate(frozenset({"b", "a"}))) == "Crate(holds=frozenset({'a', 'b'}))"
    assert repr(Crate(frozenset())) == "Crate(holds=frozenset())"


def test_changes_are_checked() -> None:
    """replace() makes a new value, checked as any; nothing changes the old one."""
    shelf = Shelf(3)
    with pytest.raises(ValueError, match="1 wide or more"):
        shelf.replace(width=0)
    with pytest.raises(AttributeError, match=r"frozen: use replace\(colour="):
        shelf.colour = "red"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        shelf.depth = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="keeps its width"):
        del shelf.width
    assert shelf == Shelf(3)


def test_a_value_equals_its_own_kind_only() -> None:
    """Values of two classes differ, also where their fields do not."""
    assert Labelled(3) != Shelf(3)
    assert len({Shelf(3), Shelf(3), Labelled(3), Shelf(4)}) == 3


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_values_are_pickled(protocol: int) -> None:
    """A value comes back from its pickle as it was."""
    shelf = Labelled(3, "red", ["Emma"], "novels")
    twin = pickle.loads(pickle.dumps(shelf, protocol))
    assert twin == shelf
    assert hash(twin) == hash(shelf)


def test_a_copy_is_the_value_itself() -> None:
    """What never changes need not be copied."""
    shelf = Shelf(3)
    assert copy.copy(shelf) is shelf
    assert copy.deepcopy([shelf])[0] is shelf


def test_constructors_are_shown() -> None:
    """help() and editors see the fields with what they may be given as, and the defaults."""
    signature = inspect.signature(Shelf)
    assert list(signature.parameters) == ["width", "colour", "books"]
    assert signature.parameters["colour"].default == "white"
    assert signature.parameters["books"].annotation == Iterable[str]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_all_values_show_their_constructor(kind: type[Value]) -> None:
    """No public value hides what it takes behind ``*args``."""
    kinds = {each.kind for each in inspect.signature(kind).parameters.values()}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
