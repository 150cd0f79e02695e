"""What worker processes are asked to run."""

import dataclasses
import functools
import multiprocessing
import os
import signal
import threading


def add(one, two):
    return one + two


def pid():
    return os.getpid()


def crash():
    os._exit(7)


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def return_lock():
    return threading.Lock()


class StubbornError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class LockedError(Exception):
    def __init__(self):
        super().__init__("locked")
        self.lock = threading.Lock()


def raise_value_error():
    raise ValueError("from the other side")


def raise_stubborn():
    raise StubbornError(1, 2)


def raise_locked():
    raise LockedError


async def double(number):
    return number * 2


class Doubler:
    async def __call__(self, number):
        return number * 2


doubler = Doubler()


def doubled(func):
    @functools.wraps(func)
    def wrapper(number):
        return 2 * func(number)

    return wrapper


def plain(number):
    return number


decorated = doubled(plain)


def wait_for_file(path):
    while not os.path.exists(path):
        threading.Event().wait(0.01)
    return "waited"


MARK = None


def set_mark(value):
    global MARK
    MARK = value


def mark():
    return MARK


def broken():
    raise OSError("no database")


def children():
    """Starts a process of its own; gives its exit code."""
    child = multiprocessing.get_context("spawn").Process(target=plain, args=(1,))
    child.start()
    child.join()
    return child.exitcode


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    number: int

    def __reduce__(self):
        return FrozenError, (self.number,)


def raise_frozen():
    raise FrozenError(5)


class SilentError(Exception):
    def __str__(self):
        raise RuntimeError("nothing to say")

    def __reduce__(self):
        raise RuntimeError("nor to send")


def raise_silent():
    raise SilentError


def generate():
    yield 1


async def generate_async():
    yield 1


def make_generator():
    return generate()


def make_async_generator():
    return generate_async()


async def make_generator_later():
    return generate()


class Leaving:
    """A result that ends the program when it is sent."""

    def __reduce__(self):
        raise SystemExit(4)


def return_leaving():
    return Leaving()


class LeavingError(Exception):
    def __reduce__(self):
        raise KeyboardInterrupt


def raise_leaving():
    raise LeavingError
