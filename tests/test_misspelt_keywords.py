"""Whatever users call tells of a keyword that it doesn't know, with the nearest that it does."""

from __future__ import annotations

import asyncio
from inspect import Parameter, isclass, isfunction, signature

import pytest

import mainspring
import mainspring.testing
import mainspring.testing.checker
from mainspring import BackgroundScheduler, MongoDBJobStore, RedisJobStore
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.contract import RunStore
from mainspring.jobstores.native import NativeJobStore
from mainspring.jobstores.sqlalchemy import without_job_tables
from mainspring.schedulers.awaitable import AwaitableMethods
from mainspring.triggers.base import BaseTrigger

#: What the library makes and hands to users, who don't call these.
MADE_FOR_USERS = {"Fault", "Job", "RunHandle", "RunRecord", "Span"}
#: What users subclass, and the library calls.
CALLED_BY_US = (BaseTrigger, RunStore, BaseJobStore, NativeJobStore)


def parameters_of(callable_):
    try:
        parameters = list(signature(callable_).parameters.values())
    except (TypeError, ValueError):
        return []
    if any(one.kind is Parameter.VAR_KEYWORD for one in parameters):
        return []
    return [
        one.name
        for one in parameters
        if one.kind in (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    ]


def misspelt(name):
    return name[:-1] if name.endswith("s") and len(name) > 3 else f"{name}s"


def public_names():
    for module in (mainspring, mainspring.testing, mainspring.testing.checker):
        for name in module.__all__:
            yield name, getattr(module, name)
    yield "without_job_tables", without_job_tables


def callables():
    for name, found in sorted(dict(public_names()).items()):
        if isclass(found) and issubclass(found, BaseException):
            continue
        if callable(found) and name not in MADE_FOR_USERS:
            known = parameters_of(found)
            if known:
                yield pytest.param(found, known[-1], (), id=name)
        if not isclass(found) or issubclass(found, CALLED_BY_US) or hasattr(found, "submit_job"):
            continue
        for method_name in dir(found):
            method = getattr(found, method_name)
            if method_name.startswith("_") or not (getattr(method, "__module__", None) or "").startswith(
                "mainspring"
            ):
                continue
            if method.__name__ in vars(AwaitableMethods):
                continue  # the method that it is the twin of says so
            known = parameters_of(method)
            if isfunction(method):
                known = known[1:]
            if known:
                yield pytest.param(
                    method, known[-1], (None,) if isfunction(method) else (), id=f"{name}.{method_name}"
                )


ALL = list(callables())


@pytest.mark.parametrize(("called", "name", "before"), ALL)
def test_a_misspelt_keyword_is_told_with_the_nearest(called, name, before):
    wrong = misspelt(name)
    with pytest.raises(TypeError) as told:
        called(*before, **{wrong: 1})
    assert f"unknown parameter {wrong!r}" in str(told.value)
    assert "did you mean" in str(told.value) or "valid: " in str(told.value)


def test_much_is_called():
    assert len(ALL) > 100


OTHERS = [
    (lambda s: s.add_job(print, "date", max_instance=2), "max_instance", "max_instances"),
    (lambda s: s.add_job(print, "interval", minuts=2), "minuts", "minutes"),
    (lambda s: s.add_job(print, "cron", hours=2), "hours", "hour"),
    (lambda s: s.scheduled_job("interval", minute=2)(print), "minute", "minutes"),
    (lambda s: s.add_job(print, id="a") and s.modify_job("a", max_instance=2), "max_instance", "max_instances"),
    (lambda s: s.add_job(print, id="a").modify(nam="x"), "nam", "name"),
    (lambda s: s.add_job(print, id="a").reschedule("interval", minuts=2), "minuts", "minutes"),
    (lambda s: s.add_executor("threadpool", max_worker=2), "max_worker", "max_workers"),
    (lambda s: s.add_executor("processpool", pool_kwarg={}), "pool_kwarg", "pool_kwargs"),
    (lambda s: s.add_jobstore("memory", keep_run=2), "keep_run", "keep_runs"),
    (lambda s: s.add_jobstore("sqlalchemy", ulr="sqlite://"), "ulr", "url"),
    (lambda s: s.add_jobstore("redis", hots="x"), "hots", "host"),
    (lambda s: s.add_jobstore("mongodb", hots="x"), "hots", "host"),
    (lambda s: RedisJobStore(url="redis://nowhere", socket_timout=1), "socket_timout", "socket_timeout"),
    (lambda s: RedisJobStore(namspace="x"), "namspace", "namespace"),
    (lambda s: MongoDBJobStore(namespce="x"), "namespce", "namespace"),
    (lambda s: BackgroundScheduler({"mainspring.timezon": "UTC"}, strict=True), "timezon", "timezone"),
    (lambda s: BackgroundScheduler(job_defaults={"coalesc": True}, strict=True), "coalesc", "coalesce"),
    (lambda s: BackgroundScheduler(job_default={}, strict=True), "job_default", "job_defaults"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "wrong", "right"), OTHERS, ids=[f"{at}-{one[1]}" for at, one in enumerate(OTHERS)]
)
def test_what_takes_any_keyword_says_it_itself(call, wrong, right):
    scheduler = BackgroundScheduler(timezone="UTC")
    with pytest.raises(Exception, match="did you mean") as told:
        call(scheduler)
    assert repr(wrong) in str(told.value) or wrong in str(told.value)
    assert f"did you mean {right!r}" in str(told.value)


def test_an_error_within_a_method_stays_what_it_is(monkeypatch):
    scheduler = BackgroundScheduler(timezone="UTC")

    def fails(*_args, **_kwargs):
        raise TypeError("something else")

    monkeypatch.setattr(scheduler._access, "is_closed", fails)
    with pytest.raises(TypeError, match=r"^something else$"):
        scheduler.set_group("a", limit=1)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'name'"):
        scheduler.set_group(limit=1)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda answer: answer.id,
        lambda answer: answer.remove(),
        lambda answer: len(answer),
        lambda answer: answer["x"],
        lambda answer: "x" in answer,
        lambda answer: bool(answer),
    ],
    ids=["attribute", "method", "len", "item", "in", "bool"],
)
def test_what_is_not_awaited_says_so(mistake):
    async def program():
        async with mainspring.AsyncIOScheduler(timezone="UTC") as scheduler:
            answer = scheduler.aadd_job(print, "date", run_date="2100-01-01", id="a")
            with pytest.raises((AttributeError, TypeError), match=r"await scheduler\.aadd_job"):
                mistake(answer)
            assert (await answer).id == "a"
            wrong = scheduler.apause_job("a", job_store="x")
            with pytest.raises(TypeError, match="did you mean 'jobstore'"):
                await wrong

    asyncio.run(program())
