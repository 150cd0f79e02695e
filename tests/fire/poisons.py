"""What functions may hand to the scheduler that is not as anybody thought of: too big, no text, or broken when it is looked at."""

from __future__ import annotations

import collections
import decimal
import enum
import fractions
import logging
import math
import threading
import uuid
from datetime import UTC, date, datetime, timedelta

from mainspring.current import current_run

#: As `os.fsdecode` makes of a file name that is not UTF-8.
SURROGATES = b"caf\xe9.mkv".decode("utf-8", "surrogateescape")
#: The first half of a pair, as half a message of JavaScript has it, and both in the wrong order.
HALVES = "\ud83d and \ude00\ud83d"
NULS = "before\0after"
CONTROLS = "".join(map(chr, range(32))) + "\x7f\x85\u2028\ufeff\ufffe\uffff\U0010ffff"
HUGE = "x" * 20_000_000
WIDE = "\U0001f525" * 3_000_000
#: Twelve bytes for each character, where a store escapes what is no ASCII.
ESCAPED = '\x01\\"' * 2_000_000
TEXTS = {
    "surrogates": SURROGATES,
    "halves": HALVES,
    "nuls": NULS,
    "controls": CONTROLS,
    "huge": HUGE,
    "wide": WIDE,
    "escaped": ESCAPED,
}


class _RaisesWhenShown:
    def __repr__(self):
        raise RuntimeError("it can't be shown")


class _IsNoText:
    def __repr__(self):
        return 42


class _ShowsMuch:
    def __repr__(self):
        return HUGE


class _ShowsSurrogates:
    def __repr__(self):
        return SURROGATES


class _EndsTheProgram:
    def __repr__(self):
        raise SystemExit(3)


class _Endless(dict):
    def items(self):
        raise KeyError("no items")


class _Text(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no text")

    def __len__(self):
        return -1  # noqa: PLE0303 - that is the poison


class _Number(int):
    def __repr__(self):
        raise RuntimeError("no number")

    __str__ = __repr__


class _Colour(enum.Enum):
    RED = SURROGATES


def _nested(depth):
    found = []
    for _ in range(depth):
        found = [found]
    return found


def _nested_mapping(depth):
    found = {}
    for _ in range(depth):
        found = {"x": found}
    return found


def _ring():
    ring = [1]
    ring.append(ring)
    return ring


RESULTS = {
    **TEXTS,
    "deep": lambda: _nested(900),
    "deeper": lambda: _nested(100_000),
    "deep-mapping": lambda: _nested_mapping(50_000),
    "ring": _ring,
    "raises-when-shown": lambda: _RaisesWhenShown(),
    "inside": lambda: {"x": [_RaisesWhenShown()]},
    "no-text": lambda: _IsNoText(),
    "shows-much": lambda: _ShowsMuch(),
    "shows-surrogates": lambda: _ShowsSurrogates(),
    "ends-the-program": lambda: _EndsTheProgram(),
    "keys": lambda: {(1, 2): 3, None: 4, SURROGATES: 5, 1.5: NULS},
    "mapping-that-raises": lambda: _Endless(a=1),
    "text-that-raises": lambda: _Text("x"),
    "number-that-raises": lambda: _Number(3),
    "long-number": lambda: 10**5000,
    "no-number": lambda: [math.nan, math.inf, -math.inf],
    "bytes": lambda: b"\xff\x00" * 5_000_000,
    "set": lambda: {SURROGATES, NULS},
    "enum": lambda: _Colour.RED,
    "many": lambda: list(range(2_000_000)),
    "lock": lambda: threading.Lock(),
    "module": lambda: logging,
    "function": lambda: lambda: None,
    "others": lambda: [
        decimal.Decimal("NaN"),
        fractions.Fraction(1, 3),
        uuid.uuid4(),
        datetime.max.replace(tzinfo=UTC),
        date.min,
        timedelta.max,
        collections.Counter("a"),
        ...,
        1j,
    ],
}


class _StrRaises(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class _ReprRaises(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class _StrIsNone(Exception):
    def __str__(self):
        return None  # noqa: PLE0307 - that is the poison


class _NamedBadly(Exception):
    pass


_NamedBadly.__name__ = _NamedBadly.__qualname__ = "Nul\\0Error"


class _CantBeSent(Exception):
    def __init__(self, one, two):
        super().__init__("needs two")

    def __reduce__(self):
        raise TypeError("it can't be sent")


class _OwnBase(BaseException):
    pass


def _with_notes(notes):
    error = ValueError("noted")
    error.__notes__ = notes
    return error


def _caused_by_itself():
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    first.__context__ = first
    return first


def _group(depth):
    error = ValueError(SURROGATES)
    for number in range(depth):
        error = ExceptionGroup(f"group {number} {HALVES}", [error, OSError(NULS)])
    return error


ERRORS = {
    **{name: lambda text=text: ValueError(text) for name, text in TEXTS.items()},
    "str-raises": lambda: _StrRaises("x"),
    "repr-raises": lambda: _ReprRaises("x"),
    "str-is-none": lambda: _StrIsNone("x"),
    "named-badly": lambda: _NamedBadly("x"),
    "cant-be-sent": lambda: _CantBeSent(1, 2),
    "own-base": lambda: _OwnBase(SURROGATES),
    "exit": lambda: SystemExit(SURROGATES),
    "generator-exit": lambda: GeneratorExit(),
    "stop": lambda: StopIteration(HALVES),
    "memory": lambda: MemoryError(),
    "notes": lambda: _with_notes([SURROGATES, NULS, HUGE]),
    "notes-that-are-none": lambda: _with_notes([_RaisesWhenShown(), 42, None]),
    "notes-no-list": lambda: _with_notes(42),
    "caused-by-itself": _caused_by_itself,
    "group": lambda: _group(3),
    "deep-group": lambda: _group(300),
    "syntax": lambda: SyntaxError(SURROGATES, (NULS, "x", -5, SURROGATES)),
    "arguments": lambda: ValueError(_RaisesWhenShown(), _nested(100_000), 10**5000),
    "unicode": lambda: UnicodeEncodeError("utf-8", SURROGATES, 3, 4, HALVES),
    "os": lambda: FileNotFoundError(2, NULS, SURROGATES),
}

PROGRESS = {
    **{name: (1, 2, text) for name, text in TEXTS.items()},
    "no-number": (math.nan, math.inf, "x"),
    "endless": (math.inf, -math.inf, ""),
    "long-number": (10**5000, 10**5001, "x"),
    "negative": (-1, 0, "x"),
    "fraction": (0.1 + 0.2, 1e308 * 10, ""),
}


def tick():
    """A job that does no harm."""
    return 1


def return_it(name):
    """A result; made where it is returned, since not all of them can be stored."""
    made = RESULTS[name]
    return made() if callable(made) else made


def raise_it(name):
    """An error."""
    raise ERRORS[name]()  # noqa: RSE102 - it is made here


def say_it(name):
    """Progress; what the call refuses is the function's own business."""
    current_run().progress(*PROGRESS[name])
    return "said"


def say_much(times):
    """More than anybody can write."""
    run = current_run()
    for number in range(times):
        run.progress(number, times, SURROGATES * 1000)
    return "said"


class _Message:
    def __str__(self):
        raise RuntimeError("no text")


def log_it(name):
    """Lines that are kept with the run."""
    log = current_run().log
    if name == "many":
        for number in range(20_000):
            log.info("line %d %s", number, SURROGATES)
    elif name == "wrong-arguments":
        log.info("%d", "x")
        log.info("%s %s", 1)  # noqa: PLE1206 - that is the poison
        log.info(_Message())
    elif name == "error":
        try:
            raise_it("group")
        except ExceptionGroup:
            log.exception("what: %s", HALVES)
    else:
        log.info("%s", TEXTS[name])
    return "logged"


def raise_from_elsewhere():
    """From a file whose name isn't UTF-8, in a function whose name isn't, either."""
    code = compile("def f(n):\n    if n: f(n - 1)\n    1 / 0\nf(3)", f"/tmp/{SURROGATES}\udcff.py", "exec")
    exec(code, {"__name__": SURROGATES})


def raise_from_deep():
    """A traceback of many different lines."""
    calls = [f"def f{n}(): f{n + 1}()" for n in range(400)]
    source = "\n".join([*calls, "def f400(): raise ValueError('z' * 1000)", "f0()"])
    exec(compile(source, f"{'p' * 3000}.py", "exec"), {})


def recurse(depth=0):
    """A traceback of many like lines."""
    return recurse(depth + 1) + 1


def take(*args, **kwargs):
    """What it was given, as it can be compared."""
    return repr((args, sorted(kwargs.items())))


def generate():
    """A generator is no function that does something."""
    yield 1
