"""Jobs whose functions hand in what no store can keep as it is."""

from __future__ import annotations

import threading

from mainspring import current_run

NO_UTF8 = b"caf\xe9.txt".decode("utf-8", "surrogateescape")

received = []
endless = threading.Event()


class Hostile:
    """Raises whatever is asked of it."""

    def __init__(self, error=ZeroDivisionError):
        self.error = error

    def _raise(self, *_):
        raise self.error("of its own making")

    __repr__ = __str__ = __eq__ = __reduce__ = __float__ = __bool__ = __len__ = __iter__ = _raise
    __hash__ = None


class Meta(type):
    """Classes that have no name."""

    __name__ = property(lambda cls: 1 / 0)


class NamelessError(Exception, metaclass=Meta):
    """An error whose class has no name."""

    def __str__(self):
        raise SystemExit(3)


class OddText(str):
    """Text that is its own class's."""

    __slots__ = ()

    def __str__(self):
        return self

    def __format__(self, spec):
        raise ValueError


class Endless:
    """Never says what it is, until it is let."""

    def __repr__(self):
        endless.wait(60)
        return "at last"


def recursive():
    value = [{}]
    value[0]["again"] = value
    return value


def deep(levels=100_000):
    value = []
    for _ in range(levels):
        value = [value]
    return value


RESULTS = {
    "no UTF-8": lambda: NO_UTF8,
    "NUL": lambda: "a\0b",
    "split pair": lambda: ["\ud83d\ude00", {"\ud83d\ude00": 1}],
    "large": lambda: "\u00e9\"'\\\n" * 300_000,
    "many parts": lambda: list(range(400_000)),
    "bytes": lambda: b"\xff" * 2_000_000,
    "long number": lambda: 10**6000,
    "no number": lambda: [float("nan"), float("inf")],
    "recursive": recursive,
    "deep": deep,
    "hostile": lambda: [Hostile(), {"key": Hostile(SystemExit)}],
    "odd text": lambda: OddText("x"),
    "keys": lambda: {1: 2, None: 3, (1, "\udcff"): {4}},
}


def give(name):
    return RESULTS[name]()


PROGRESS = {
    "no UTF-8": lambda: (1, 2, NO_UTF8),
    "NUL": lambda: (1, 2, "a\0b"),
    "large": lambda: (1, 2, '\u00e9"' * 100_000),
    "numbers": lambda: (float("nan"), 10**6000, OddText("x")),
    "hostile": lambda: (1, 2, Hostile()),
}


def say(name):
    current_run().progress(*PROGRESS[name]())
    return "said"


def log(name):
    text = PROGRESS[name]()[2]
    current_run().log.info("%s", text)
    for number in range(1500):
        current_run().log.info("%s line %d", "x" * 60, number)


def fail_with(name):
    text = PROGRESS[name]()[2]
    error = NamelessError() if name == "hostile" else ValueError(text)
    error.__dict__["note"] = Hostile()
    if name == "numbers":
        error.__notes__ = Hostile()
    elif name != "hostile":
        error.add_note(text)
    raise error


def set_attributes():
    run = current_run()
    run.said = NO_UTF8
    run.pass_on("no JSON")
    return "set"


def receive(*args, **kwargs):
    received.append((args, kwargs))


def never_say():
    return Endless()


def repeat(text, count):
    return text * count


def say_and_wait():
    import run_work

    current_run().progress(1, 2, "half")
    run_work.wait()
