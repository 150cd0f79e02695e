from __future__ import annotations

import os
import pickle
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntFlag
from fractions import Fraction
from functools import partial
from pathlib import PurePosixPath
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import SerializationError
from mainspring.serializers.careful_pickle import Foreign, careful_loads
from mainspring.triggers.cron import CronTrigger


class Colour(Enum):
    RED = "red"


class Right(IntFlag):
    READ = 1
    WRITE = 2


@dataclass
class Order:
    number: int
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    number: int


Point = namedtuple("Point", "x y")  # noqa: PYI024 - as users write it


class Ordinary:
    initialised = 0

    def __init__(self):
        type(self).initialised += 1
        self.value = 3

    def __eq__(self, other):
        return type(other) is Ordinary and self.value == other.value

    __hash__ = None


class Names(dict):
    pass


VALUES = [
    Colour.RED,
    Right.READ | Right.WRITE,
    Order(1, ["a"]),
    Frozen(2),
    Point(1, 2),
    Ordinary(),
    Names(a=1),
    Counter("aab"),
    OrderedDict(a=1),
    defaultdict(list, a=[1]),
    deque([1, 2], maxlen=3),
    date(2026, 3, 29),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")),
    timedelta(days=1),
    Decimal("1.5"),
    Fraction(1, 3),
    PurePosixPath("/a/b"),
    UUID(int=3),
    range(3),
    slice(1, 2, 3),
    {1, 2},
    frozenset({1}),
    1j,
    bytearray(b"x"),
    os.path.join,
    Order,
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value", VALUES, ids=[f"{type(value).__name__} {at}" for at, value in enumerate(VALUES)]
)
def test_ordinary_values_come_back(value, protocol):
    assert careful_loads(pickle.dumps(value, protocol)) == value


def test_a_partial_comes_back_uncalled():
    read = careful_loads(pickle.dumps(partial(os.path.join, "a", "b")))
    assert (read.func, read.args) == (os.path.join, ("a", "b"))


def test_an_instance_is_made_without_its_init():
    data = pickle.dumps(Ordinary())
    before = Ordinary.initialised
    careful_loads(data)
    assert Ordinary.initialised == before


called: list[object] = []


def strike(*arguments):
    called.append(arguments)


class Reduced:
    """Pickles as a call of whatever it is given."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def built(target, slots):
    """A pickle that changes attributes of something it names."""
    inner = pickle.dumps(target, 4)[:-1]
    return inner + pickle.dumps((None, slots), 4)[2:-1] + pickle.BUILD + pickle.STOP


class Victim:
    attribute = "kept"


victim = Victim()

GLOBAL_VICTIM = b"c" + __name__.encode() + b"\nvictim\n"

HOSTILE = {
    "calls a function": pickle.dumps(Reduced(strike, "x")),
    "calls a class": pickle.dumps(Reduced(Ordinary)),
    "calls through a builtin": pickle.dumps(Reduced(eval, "called.append(1)")),
    "calls while a set is made": pickle.dumps(Reduced(set, map(strike, ["x"]))),
    "calls what a partial holds": pickle.dumps(Reduced(partial(strike, "x"))),
    "calls inside a list": pickle.dumps([1, {"a": Reduced(strike, "x")}]),
    "makes a class": pickle.dumps(Reduced(type, "Made", (), {"__setstate__": strike})),
    "protocol 0": b"(S'x'\ni" + __name__.encode() + b"\nstrike\n.",
    "changes a class": built(Victim, {"attribute": "changed"}),
    "changes a function": built(strike, {"attribute": "changed"}),
    "changes an object of the program": GLOBAL_VICTIM + b"}U\tattributeU\x07changedsb.",
    "reaches a module": b"cos\npath\n.",
    "looks an attribute up": pickle.dumps(Reduced(getattr, Victim, "attribute")),
    "is cut off": pickle.dumps([1, 2, 3])[:-2],
    "is no pickle": b"hello",
    "is empty": b"",
    "names what is not there": b"cno_such_module_here\nname\n.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_and_nothing_is_called_or_changed(name):
    called.clear()
    before = Ordinary.initialised
    with pytest.raises(SerializationError):
        careful_loads(HOSTILE[name])
    assert called == []
    assert Ordinary.initialised == before
    assert Victim.attribute == victim.attribute == "kept"
    assert not hasattr(strike, "attribute")


@pytest.mark.parametrize("name", ["calls a function", "changes a class", "protocol 0"])
def test_the_hostile_pickles_above_do_harm_to_the_standard_reader(name):
    """So that the test above shows something."""
    called.clear()
    try:
        pickle.loads(HOSTILE[name])
        assert called or Victim.attribute == "changed"
    finally:
        Victim.attribute = "kept"


class NotAllowedError(Exception):
    """What a store raises for a reference that it may not load."""


#: Modules of ours, and names in them that lead to code which isn't: imported there, or kept for programs that import them from there.
LEADING_ELSEWHERE = [
    ("mainspring.commands", "subprocess.Popen"),
    ("mainspring.commands", "os.system"),
    ("mainspring.jobstores.sqlalchemy", "create_engine"),
    ("mainspring.util", "signature"),
    ("apscheduler.util", "signature"),
]


@pytest.mark.parametrize(("module", "name"), LEADING_ELSEWHERE)
def test_a_name_of_ours_that_leads_elsewhere_is_asked_about_by_where_it_leads(module, name):
    asked = []

    def refuse(reference):
        asked.append(reference)
        raise NotAllowedError

    foreign = Foreign(lambda module, name: (module.replace("apscheduler", "mainspring"), name), frozenset())
    text = [pickle.BINUNICODE8 + len(one).to_bytes(8, "little") + one.encode() for one in (module, name)]
    with pytest.raises(SerializationError, match="NotAllowedError"):
        careful_loads(
            b"\x80\x04" + b"".join(text) + pickle.STACK_GLOBAL + pickle.STOP, refuse, foreign=foreign
        )
    (reference,) = asked
    assert not reference.startswith("mainspring")


def test_what_is_ours_is_named_without_being_asked_about():
    def refuse(reference):
        raise NotAllowedError(reference)

    foreign = Foreign(lambda module, name: (module, name), frozenset())
    data = b"cmainspring.triggers.cron\nCronTrigger\n."
    assert careful_loads(data, refuse, foreign=foreign) is CronTrigger
