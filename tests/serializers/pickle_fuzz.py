"""Reads hostile pickles in a process whose memory and time are bounded; run by `test_pickle_bombs.py`.

Each is to be read, or refused with a `SerializationError`, within a second or two of processor time. Prints ``ok`` in the end.
"""

from __future__ import annotations

import pickle
import resource
import struct
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import hypothesis
from hypothesis import strategies as st

from mainspring.errors import SerializationError
from mainspring.serializers.careful_pickle import careful_loads

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES = 1024 * 1024 * 1024
MOST_SECONDS = 60
#: Of processor time, for one value.
PATIENCE = 4.0

PROTO, STOP, MARK = b"\x80\x04", b".", b"("
REDUCE, NEWOBJ, BUILD, DUP, POP = b"R", b"\x81", b"b", b"2", b"0"
TUPLE1, TUPLE2, TUPLE3, TUPLE = b"\x85", b"\x86", b"\x87", b"t"
EMPTY_DICT, EMPTY_SET, SETITEM, SETITEMS, ADDITEMS, APPENDS = b"}", b"\x8f", b"s", b"u", b"\x90", b"e"
EMPTY_LIST, MEMOIZE, APPEND, FROZENSET = b"]", b"\x94", b"a", b"\x91"


def name(module: str, attribute: str) -> bytes:
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + MARK + b"".join(arguments) + TUPLE + REDUCE


def made(cls: bytes, *arguments: bytes) -> bytes:
    return cls + MARK + b"".join(arguments) + TUPLE + NEWOBJ


def whole(body: bytes) -> bytes:
    return PROTO + body + STOP


def doubled(kind: bytes, depth: int) -> bytes:
    """Something that holds twice what holds twice …"""
    return b"N" + (DUP + kind) * depth


HUGE_RANGE = call(name("builtins", "range"), number(10**10))
MANY = EMPTY_LIST + MARK + b"K\x01" * 100_000 + APPENDS
COLLIDING = [(2**61 - 1) * at for at in range(1, 60_000)]
BOMBS = {
    "bytearray of a size": whole(call(name("builtins", "bytearray"), number(2**33))),
    "bytearray8": whole(b"\x96" + struct.pack("<Q", 2**33)),
    "bytes8": whole(b"\x8e" + struct.pack("<Q", 2**33)),
    "long4": whole(b"\x8b" + struct.pack("<i", 2**31 - 1)),
    "bytes of a size": whole(made(name("builtins", "bytes"), number(2**33))),
    "a fraction with an exponent": whole(call(name("fractions", "Fraction"), text("1e9999999"))),
    "made fraction": whole(made(name("fractions", "Fraction"), text("1e9999999"))),
    "a fraction of a decimal": whole(
        call(name("fractions", "Fraction"), call(name("decimal", "Decimal"), text("1e9999999")))
    ),
    "fraction of huge numbers": whole(
        call(name("fractions", "Fraction"), number(3**2_000_000), number(7**2_000_000))
    ),
    "a set of a range": whole(call(name("builtins", "set"), HUGE_RANGE)),
    "a frozenset of a range": whole(made(name("builtins", "frozenset"), HUGE_RANGE)),
    "a tuple of a range": whole(made(name("builtins", "tuple"), HUGE_RANGE)),
    "a deque of a range": whole(call(name("collections", "deque"), HUGE_RANGE)),
    "a counter of a range": whole(call(name("collections", "Counter"), HUGE_RANGE)),
    "a bytearray of a range": whole(call(name("builtins", "bytearray"), HUGE_RANGE)),
    "text of a bomb": whole(made(name("builtins", "str"), doubled(TUPLE2, 100))),
    "a number in text": whole(call(name("decimal", "Decimal"), text("9" * 5_000_000))),
    "a decimal of digits": whole(b"I" + b"9" * 5_000_000 + b"\n"),
    "doubled tuples": whole(doubled(TUPLE2, 100)),
    "doubled tuples as a key": whole(EMPTY_DICT + doubled(TUPLE2, 100) + b"NsN0"),
    "doubled tuples in a set": whole(EMPTY_SET + MARK + doubled(TUPLE2, 100) + ADDITEMS),
    "doubled tuples in a frozenset": whole(MARK + doubled(TUPLE2, 100) + FROZENSET),
    "doubled tuples in a set's list": whole(
        call(name("builtins", "set"), EMPTY_LIST + doubled(TUPLE2, 100) + APPEND)
    ),
    "doubled tuples as keys of old dicts": whole(MARK + doubled(TUPLE2, 100) + b"Nd"),
    "a deep tuple as a key": whole(EMPTY_DICT + b"N" + TUPLE1 * 300_000 + b"Ns"),
    "a deep tuple": whole(b"N" + TUPLE1 * 300_000),
    "a deep list": whole(EMPTY_LIST * 200_000 + APPEND * 199_999),
    "a frozen bomb": whole(MARK + doubled(b"\x86", 90) + FROZENSET + TUPLE1),
    "many sets": whole(MARK + EMPTY_SET * 3_000_000 + TUPLE),
    "many dicts": whole(MARK + EMPTY_DICT * 12_000_000 + TUPLE),
    "the same list made sets of": whole(
        MANY + MEMOIZE + (name("builtins", "set") + b"h\x00" + TUPLE1 + REDUCE) * 10_000
    ),
    "the same bytes copied": whole(
        b"B"
        + struct.pack("<I", 8_000_000)
        + b"x" * 8_000_000
        + MEMOIZE
        + (name("builtins", "bytearray") + b"h\x00" + TUPLE1 + REDUCE) * 10_000
    ),
    "a state again and again": whole(
        EMPTY_DICT
        + MARK
        + b"".join(text(f"n{at}") + b"N" for at in range(20_000))
        + SETITEMS
        + MEMOIZE
        + POP
        + made(name("string", "Formatter"))
        + (b"h\x00" + BUILD) * 50_000
    ),
    "keys of one hash": pickle.dumps(dict.fromkeys(COLLIDING[:1_000]), 4),
    "many keys of one hash": whole(
        EMPTY_DICT + MARK + b"".join(pickle.dumps(key, 2)[2:-1] + b"N" for key in COLLIDING) + SETITEMS
    ),
    "many members of one hash": whole(
        EMPTY_SET + MARK + b"".join(pickle.dumps(key, 2)[2:-1] for key in COLLIDING) + ADDITEMS
    ),
    "zones": whole(
        (call(name("zoneinfo", "ZoneInfo._unpickle"), text("Europe/Berlin"), b"\x89") + POP) * 50_000
    ),
    "a partial of a partial": whole(
        call(name("functools", "partial"), name("os", "getcwd"), b"N") + (b"\x85" + REDUCE) * 1000
    ),
    "a frame": whole(b"\x95" + struct.pack("<Q", 2**60)),
    "a place in the memo": whole(b"Nr" + struct.pack("<I", 2**32 - 1)),
    "a persistent id": whole(b"Pabc\n"),
    "nothing": b"",
    "too large": b"N0" * 20_000_000,
}


@st.composite
def programs(draw: Callable[..., object]) -> bytes:
    """Pickles that are put together of whole instructions, most of them meaningful."""
    pieces = st.one_of(
        st.sampled_from(
            [
                PROTO, MARK, REDUCE, NEWOBJ, BUILD, DUP, POP, TUPLE1, TUPLE2, TUPLE3, TUPLE, EMPTY_DICT, EMPTY_SET, SETITEM,
                SETITEMS, ADDITEMS, APPENDS, EMPTY_LIST, MEMOIZE, APPEND, FROZENSET, b"N", b"\x88", b")", b"d", b"l", b"1",
                b"\x92", b"\x93", b"o", b"Q", HUGE_RANGE, b"h\x00", b"h\x01", doubled(TUPLE2, 60), doubled(TUPLE3, 40),
            ]
        ),
        st.sampled_from(
            [
                name(module, attribute)
                for module, attribute in [
                    *(("builtins", kind) for kind in (
                        "set", "frozenset", "bytearray", "bytes", "tuple", "list", "dict", "str", "int", "float", "complex",
                        "range", "slice", "object", "getattr", "map", "type", "super", "property", "memoryview", "enumerate",
                    )),
                    *(("collections", kind) for kind in ("Counter", "OrderedDict", "deque", "defaultdict", "UserList", "ChainMap")),
                    *(("datetime", kind) for kind in ("datetime", "date", "time", "timedelta", "timezone")),
                    ("decimal", "Decimal"), ("fractions", "Fraction"), ("functools", "partial"), ("pathlib", "PurePosixPath"),
                    ("uuid", "UUID"), ("zoneinfo", "ZoneInfo"), ("zoneinfo", "ZoneInfo._unpickle"), ("_codecs", "encode"),
                    ("re", "_compile"), ("enum", "Enum"), ("http", "HTTPStatus"), ("re", "RegexFlag"), ("ipaddress", "IPv4Network"),
                    ("types", "SimpleNamespace"), ("os", "getcwd"), ("copyreg", "_reconstructor"), ("itertools", "repeat"),
                ]
            ]
        ),
        st.integers(-(2**70), 2**70).map(number),
        st.sampled_from([0, 1, 2**33, 2**63, -1, 10**12, (2**61 - 1) * 7]).map(number),
        st.sampled_from(["", "1e9999999", "9" * 4000, "1/3", "latin1", "latin-1", "__dict__", "_value_", "a"]).map(text),
        st.binary(max_size=6),
    )  # fmt: skip
    return whole(b"".join(draw(st.lists(pieces, max_size=40))))


def read(data: bytes, what: str) -> None:
    begun = time.process_time()
    with suppress(SerializationError):
        careful_loads(data)
    taken = time.process_time() - begun
    if taken > PATIENCE:
        raise AssertionError(f"{what} took {taken:.1f} s")


def main(examples: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS + examples // 100, MOST_SECONDS + examples // 100))
    if examples == 0:
        for what, data in BOMBS.items():
            read(data, what)
        print("ok")
        return

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(programs())
    def fuzz(data: bytes) -> None:
        read(data, repr(data))

    fuzz()
    print("ok")


if __name__ == "__main__":
    main(int(sys.argv[1]))
