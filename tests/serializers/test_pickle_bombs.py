"""Pickles that stand for more than anybody has: read in a process of their own, with little memory and time."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter, OrderedDict, deque
from datetime import UTC, datetime
from enum import IntFlag
from functools import partial
from pathlib import Path

import pytest

from mainspring.errors import SerializationError
from mainspring.serializers import bounds
from mainspring.serializers.careful_pickle import careful_loads
from mainspring.serializers.typed_json import from_plain, to_plain

FUZZ = Path(__file__).with_name("pickle_fuzz.py")


def run_fuzz(examples: int) -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZ), str(examples)], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "ok"


@pytest.mark.one_python
def test_bombs_are_refused_in_little_memory_and_time():
    run_fuzz(0)


def test_no_program_of_instructions_takes_more_than_it_may():
    run_fuzz(200)


@pytest.mark.soak
def test_no_program_of_many_takes_more_than_it_may():
    run_fuzz(20_000)


class Right(IntFlag):
    READ = 1


class Linked:
    def __init__(self, before):
        self.before = before
        self.after = None
        if before is not None:
            before.after = self


def chain_of(length):
    first = last = Linked(None)
    for _ in range(length):
        last = Linked(last)
    return first


SHARED = ["the same"] * 10
ORDINARY = [
    [SHARED] * 1000,
    {(at, str(at)): at for at in range(5_000)},
    {at / 7 for at in range(5_000)},
    chain_of(20),
    b"x" * 5_000_000,
    bytearray(b"x" * 5_000_000),
    [datetime(2026, 1, 1, tzinfo=UTC)] * 3,
    deque([1, 2], 2),
    Counter({1: 2}),
    OrderedDict({(1, 2): 3}),
    {2**70: 1, -(2**90): 2},
    Right.READ,
]


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize(
    "value", ORDINARY, ids=[f"{type(one).__name__} {at}" for at, one in enumerate(ORDINARY)]
)
def test_what_programs_have_is_read(value, protocol):
    read = careful_loads(pickle.dumps(value, protocol))
    assert type(read) is type(value)
    if not isinstance(value, Linked):
        assert read == value


def test_what_contains_itself_is_read():
    ring = [1]
    ring.append(ring)
    read = careful_loads(pickle.dumps(ring))
    assert read[1] is read


def test_members_of_enumerations_are_not_changed():
    inner = pickle.dumps(Right.READ, 4)[:-1]
    state = pickle.dumps({"_value_": 7}, 2)[2:-1]
    with pytest.raises(SerializationError, match="calls or changes"):
        careful_loads(inner + state + b"b.")
    assert Right.READ.value == 1


def test_the_methods_of_a_class_are_not_called_as_those_of_a_list():
    data = b"\x80\x04cstring\nFormatter\n(K\x01e."
    with pytest.raises(SerializationError, match="calls or changes"):
        careful_loads(data)


def test_values_of_one_row_are_bounded_together():
    together = bounds.Bounds()
    data = pickle.dumps([1] * 100_000)
    for _ in range(3):
        careful_loads(data, bounds=together)
    with pytest.raises(SerializationError, match=r"steps|parts"):
        for _ in range(3):
            careful_loads(data, bounds=together)


def test_what_may_not_be_loaded_is_not_imported():
    asked = []

    def refuse(reference):
        asked.append(reference)
        raise SerializationError("not that")

    data = b"\x80\x04cno_such_module_at_all\nname\n."
    with pytest.raises(SerializationError, match="not that"):
        careful_loads(data, refuse)
    assert asked == ["no_such_module_at_all:name"]


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_types_of_plain_values_are_no_references(protocol):
    values = [
        {1},
        1j,
        bytearray(b"x"),
        b"x",
        range(3),
        datetime(2026, 1, 1, tzinfo=UTC),
        deque([1]),
        Counter("a"),
    ]
    asked = []
    careful_loads(pickle.dumps(values, protocol), asked.append)
    assert asked == []
    careful_loads(pickle.dumps(partial(chain_of), protocol), asked.append)
    assert asked == [f"{__name__}:chain_of"]


def nothing_else(name, value):
    raise SerializationError(name)


def test_plain_data_is_as_deep_as_what_can_be_written():
    deep: object = 1
    for _ in range(bounds.DEPTH_LIMIT):
        deep = [deep]
    plain = to_plain(deep, "it", nothing_else)
    assert from_plain(plain, nothing_else) == deep
    for _ in range(3):
        plain = [plain]
    with pytest.raises(SerializationError, match="nested"):
        from_plain(plain, nothing_else)


@pytest.mark.parametrize(
    "plain",
    [
        {"$type": "set", "value": [(2**61 - 1) * at for at in range(1000)]},
        {"$type": "dict", "value": [[(2**61 - 1) * at, 1] for at in range(1000)]},
        {"$type": "dict", "value": [[[1], 1]]},
        {"$type": "dict", "value": 3},
        {"$type": ["dict"], "value": 3},
        {"$type": "timedelta", "value": [10**30]},
        {"$type": "datetime", "value": 3},
        {"$type": "decimal", "value": {}},
        {"$type": "float", "value": "x" * 10_000},
    ],
)
def test_damaged_plain_data_is_said_to_be_so_in_few_words(plain):
    with pytest.raises(SerializationError) as raised:
        from_plain(plain, nothing_else)
    assert len(str(raised.value)) < 500
