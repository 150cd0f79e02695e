"""Methods, and whatever else can be called, of stored jobs: what the reference gives and what stands in the arguments belong together."""

from __future__ import annotations

import functools
import pickle
import sys
import threading

import pytest

from mainspring import BackgroundScheduler, MemoryJobStore
from mainspring.definition import resolved_function
from mainspring.errors import SerializationError, TransientJobError
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.references import obj_to_ref
from stores import MONGODB, open_store


class Base:
    def inherited(self, number):
        return self.name, number


class Film(Base):
    def __init__(self, name):
        self.name = name

    def shown(self, number):
        return self.name, number

    other_name = shown

    @functools.lru_cache
    def kept(self, number):
        return self.name, number

    shown_once = functools.partialmethod(shown, 1)

    @classmethod
    def of_class(cls, number):
        return cls.__name__, number

    @staticmethod
    def static(number):
        return "static", number

    def __call__(self, number):
        return self.name, number

    class Scene:
        def played(self, number):
            return "scene", number


class Locked(Film):
    def __init__(self, name):
        super().__init__(name)
        self.lock = threading.Lock()


class Holder:
    film = Film("held")


kes = Film("Kes")
holder = Holder()
locked = Locked("locked")
alias = kes.shown
prepared = functools.partial(kes.shown)
HERE = __name__

#: What is given to `add_job`, its arguments, what the function gives, and the arguments as they are stored.
CALLS = {
    "method by reference": (f"{HERE}:kes.shown", (1,), ("Kes", 1), "1"),
    "method of a held instance by reference": (f"{HERE}:holder.film.shown", (1,), ("held", 1), "1"),
    "method of an unpicklable instance by reference": (f"{HERE}:locked.shown", (1,), ("locked", 1), "1"),
    "inherited method by reference": (f"{HERE}:kes.inherited", (1,), ("Kes", 1), "1"),
    "method under a name of the module": (f"{HERE}:alias", (1,), ("Kes", 1), "1"),
    "method of the class by reference": (f"{HERE}:Film.shown", (kes, 1), ("Kes", 1), "self, 1"),
    "method": (kes.shown, (1,), ("Kes", 1), "self, 1"),
    "inherited method": (kes.inherited, (1,), ("Kes", 1), "self, 1"),
    "method of another name": (kes.other_name, (1,), ("Kes", 1), "self, 1"),
    "cached method": (kes.kept, (1,), ("Kes", 1), "self, 1"),
    "method of an inner class": (Film.Scene().played, (1,), ("scene", 1), "self, 1"),
    "class method": (Film.of_class, (1,), ("Film", 1), "1"),
    "class method of an instance": (kes.of_class, (1,), ("Film", 1), "1"),
    "class method by reference": (f"{HERE}:kes.of_class", (1,), ("Film", 1), "1"),
    "static method": (Film.static, (1,), ("static", 1), "1"),
    "static method by reference": (f"{HERE}:kes.static", (1,), ("static", 1), "1"),
    "callable": (kes, (1,), ("Kes", 1), "1"),
    "callable by reference": (f"{HERE}:kes", (1,), ("Kes", 1), "1"),
    "partial by reference": (f"{HERE}:prepared", (1,), ("Kes", 1), "1"),
}


@pytest.fixture(params=["memory", "sqlite", "redis", MONGODB])
def scheduler(request, make_scheduler, tmp_path, tablename):
    if request.param == "memory":
        store = MemoryJobStore()
    elif request.param == "sqlite":
        store = SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")
    else:
        store = open_store(request.getfixturevalue(f"{request.param}_url"), tablename)
    made = make_scheduler(jobstores={"default": store})
    made.start()
    return made


def shown(args):
    return ", ".join("self" if isinstance(value, Base | Film.Scene) else str(value) for value in args)


def test_what_was_given_is_called_however_often_its_job_is_changed(scheduler):
    for call, (func, args, given, stored) in CALLS.items():
        scheduler.add_job(func, "interval", days=1, args=args, id=call)
        for number in range(2):
            scheduler.pause_job(call)
            scheduler.resume_job(call)
            scheduler.modify_job(call, name=f"name {number}")
        run = scheduler.run_job(call).wait(20)
        assert (run.outcome, run.error) == ("succeeded", None), call
        assert given[0] in run.result, call
        if not isinstance(scheduler._jobstores["default"], MemoryJobStore):
            assert shown(scheduler.get_job(call).args) == stored, call


def test_arguments_of_a_method_by_reference_are_replaced(scheduler):
    scheduler.add_job(f"{HERE}:kes.shown", "interval", days=1, args=[1], id="a")
    scheduler.modify_job("a", args=[2])
    assert scheduler.get_job("a").args == (2,)
    assert "2" in scheduler.run_job("a").wait(20).result


def test_an_equal_job_of_a_method_is_found(scheduler):
    """A decorator without an id on a shared store finds the job that an earlier start has added."""
    store = scheduler._jobstores["default"]
    if isinstance(store, MemoryJobStore):
        pytest.skip("what is in memory is gone at the next start")
    for func in (kes.shown, f"{HERE}:kes.shown"):
        scheduler.add_job(func, "interval", days=1, args=[1], id=str(func)[:20])
        record = scheduler.get_job(str(func)[:20])._record
        assert store.find_equal(record) == record.id


def test_the_state_that_apscheduler_knows_is_as_there():
    scheduler = BackgroundScheduler()
    scheduler.start(paused=True)
    try:
        by_name = scheduler.add_job(f"{HERE}:kes.shown", args=[1])
        as_object = scheduler.add_job(kes.shown, args=[1])
        for _ in range(2):
            by_name, as_object = (pickle.loads(pickle.dumps(job)) for job in (by_name, as_object))
        assert (by_name.func_ref, shown(by_name.args)) == (f"{HERE}:kes.shown", "1")
        assert (as_object.func_ref, shown(as_object.args)) == (f"{HERE}:Film.shown", "self, 1")
    finally:
        scheduler.shutdown()


def test_an_instance_that_cannot_be_stored_says_what_to_give(make_scheduler, tmp_path):
    scheduler = make_scheduler(jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")})
    scheduler.start()
    with pytest.raises(SerializationError, match=r"module:instance\.method"):
        scheduler.add_job(locked.shown, args=[1], id="a")
    for func, args in ((prepared, [1]), (kes.shown_once, [])):
        with pytest.raises(TransientJobError):
            scheduler.add_job(func, "interval", days=1, args=args)


def test_a_name_that_was_given_to_something_else_is_no_reference_to_what_it_was(monkeypatch):
    module = sys.modules[HERE]

    def made():
        def later():
            pass

        later.__qualname__ = "later"
        return later

    first, second = made(), made()
    monkeypatch.setattr(module, "later", first, raising=False)
    assert resolved_function(first) == (first, f"{HERE}:later")
    monkeypatch.setattr(module, "later", second)
    assert resolved_function(first) == (first, None)
    assert obj_to_ref(second) == f"{HERE}:later"
