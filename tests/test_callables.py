import asyncio
import functools
import inspect
import math

import pytest

from mainspring import callables
from mainspring.callables import check_callable_args, get_callable_name, iscoroutinefunction_partial


def plain(one, two=2, *, three=3):
    pass


def strict(one, /, two, *, three):
    pass


async def coroutine():
    pass


class Callable:
    def __call__(self, one):
        pass

    def method(self):
        pass

    @classmethod
    def class_method(cls):
        pass

    @staticmethod
    def static():
        pass


class AsyncCallable:
    async def __call__(self):
        pass


@pytest.mark.parametrize(
    ("func", "name"),
    [
        (plain, "plain"),
        (Callable, "Callable"),
        (Callable(), "Callable"),
        (Callable().method, "Callable.method"),
        (Callable.class_method, "Callable.class_method"),
        (Callable.static, "Callable.static"),
        (functools.partial(plain, 1), "plain"),
        (len, "len"),
    ],
)
def test_names(func, name):
    assert get_callable_name(func) == name


def test_what_has_no_name():
    with pytest.raises(TypeError, match="callable was expected, 5"):
        get_callable_name(5)


@pytest.mark.parametrize(
    ("func", "answer"),
    [
        (plain, False),
        (coroutine, True),
        (functools.partial(coroutine), True),
        (functools.partial(functools.partial(coroutine)), True),
        (AsyncCallable(), True),
        (functools.partial(AsyncCallable()), True),
        (Callable(), False),
        (asyncio.sleep, True),
        (len, False),
    ],
)
def test_coroutine_functions(func, answer):
    assert iscoroutinefunction_partial(func) is answer


@pytest.mark.parametrize(
    ("func", "args", "kwargs"),
    [
        (plain, (1,), {}),
        (plain, (1, 2), {}),
        (plain, (), {"one": 1, "three": 3}),
        (strict, (1, 2), {"three": 3}),
        (strict, (1,), {"two": 2, "three": 3}),
        (Callable(), (1,), {}),
        (Callable().method, (), {}),
        (functools.partial(plain, 1), (), {}),
        (lambda *args, **kwargs: None, (1, 2, 3), {"x": 1}),
        (print, (1, 2), {"end": ""}),
        (len, ([],), {}),
    ],
)
def test_arguments_that_fit(func, args, kwargs):
    check_callable_args(func, args, kwargs)


@pytest.mark.parametrize(
    ("func", "args", "kwargs", "words"),
    [
        (plain, (), {}, "missing: one"),
        (plain, (1, 2, 3), {}, "args has 3 values, at most 2"),
        (plain, (1,), {"one": 1}, "both in args and in kwargs: one"),
        (plain, (1,), {"four": 4}, "unknown in kwargs: four"),
        (strict, (1, 2), {}, r"missing in kwargs \(keyword-only\): three"),
        (strict, (), {"one": 1, "two": 2, "three": 3}, "missing: one; unknown in kwargs: one"),
        (Callable(), (), {}, "Callable can't be called .* missing: one"),
    ],
)
def test_arguments_that_do_not_fit(func, args, kwargs, words):
    with pytest.raises(ValueError, match=words):
        check_callable_args(func, args, kwargs)


def injecting(function):
    """Gives the function its first argument, as decorators for sessions, contexts and configurations do."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function("session", *args, **kwargs)

    return wrapper


def removing(function):
    """Takes an argument that the function knows nothing of."""

    @functools.wraps(function)
    def wrapper(request_id, *args):
        return function(*args)

    return wrapper


class InjectingObject:
    """As a class-based decorator: what it wraps is known, and it is called otherwise."""

    def __init__(self, function):
        functools.update_wrapper(self, function)

    def __call__(self, *args, **kwargs):
        return self.__wrapped__("session", *args, **kwargs)


class Service:
    @injecting
    def method(self, session, name): ...

    @classmethod
    @injecting
    def class_method(cls, session, name): ...

    @staticmethod
    @injecting
    def static_method(session, name): ...


@injecting
def injected(session, name): ...


@removing
def without_request(name): ...


def said_otherwise(*args, **kwargs): ...


said_otherwise.__signature__ = inspect.signature(lambda name: None)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (injected, ["a"]),
        (functools.partial(injected, "a"), []),
        (InjectingObject(injected.__wrapped__), ["a"]),
        (Service().method, ["a"]),
        (Service.class_method, ["a"]),
        (Service.static_method, ["a"]),
        (without_request, [1, "a"]),
        (said_otherwise, ["a"]),
    ],
)
def test_of_a_decorated_function_the_parameters_count_with_which_it_is_called(function, args):
    check_callable_args(function, args, {})


@pytest.mark.parametrize(("function", "args"), [(without_request, []), (said_otherwise, ["a", "b"])])
def test_what_a_wrapper_does_not_take_is_refused(function, args):
    with pytest.raises(ValueError, match="can't be called"):
        check_callable_args(function, args, {})


def test_the_signature_of_a_modules_builtin_is_read_once(monkeypatch):
    read = []
    real = callables.signature
    monkeypatch.setattr(callables, "signature", lambda func, **how: read.append(func) or real(func, **how))
    callables._signature_of_builtin.cache_clear()
    for _ in range(3):
        callables.check_callable_args(math.ldexp, (1.0, 2), {})
        with pytest.raises(ValueError, match="missing"):
            callables.check_callable_args(math.ldexp, (1.0,), {})
    assert read == [math.ldexp]
    held = []
    for _ in range(2):  # one of an object would keep that alive
        callables.check_callable_args(held.append, (1,), {})
    assert len(read) == 3
