"""Methods that subclasses written for APScheduler override are called, on the classes and on single objects; nobody else pays for it."""

import concurrent.futures
import contextlib
import copy
import gc
import logging
import threading
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.errors import JobLookupError
from mainspring.events import (
    EVENT_JOB_ADDED,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MODIFIED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_STARTED,
    EVENT_JOB_SUBMITTED,
    EVENT_SCHEDULER_STARTED,
)
from mainspring.executors.asyncio import AsyncIOExecutor
from mainspring.executors.base import run_coroutine_job, run_job
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.overrides import replaced
from mainspring.schedulers.asyncio import AsyncIOScheduler
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.schedulers.base import STATE_RUNNING
from mainspring.triggers.interval import IntervalTrigger
from pickle_store import PickleStore
from waiting import wait_for

HEARD = []


def function(*args, **kwargs):
    HEARD.append((args, kwargs))
    return args


@pytest.fixture(autouse=True)
def nothing_heard():
    HEARD.clear()


@pytest.fixture
def make(request):
    """Makes a scheduler of a class, which ends with the test."""
    made = []

    def make(cls, **options):
        options.setdefault("timezone", "UTC")
        scheduler = cls(**options)
        made.append(scheduler)
        return scheduler

    yield make
    for scheduler in made:
        if scheduler.state:
            scheduler.shutdown(timeout=10)


class WithTime(BackgroundScheduler):
    """Changes each job before it is added, also those that were added before the start."""

    def _real_add_job(self, job, jobstore_alias, replace_existing):
        job.kwargs["by"] = jobstore_alias
        super()._real_add_job(job, jobstore_alias, replace_existing)


class Own(BackgroundScheduler):
    """Adds jobs without calling ours, as copies of APScheduler's method do."""

    def _real_add_job(self, job, jobstore_alias, replace_existing):
        assert job.next_run_time is not None
        self._lookup_jobstore(jobstore_alias).add_job(job)
        job._jobstore_alias = jobstore_alias
        if self.state == STATE_RUNNING:
            self.wakeup()


STORES = {"memory": MemoryJobStore, "v3": PickleStore}


@pytest.fixture(params=["memory", "sqlite", "v3"])
def jobstores(request, tmp_path):
    made = STORES.get(request.param, lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"))
    return {"default": made()}


@pytest.mark.parametrize("how", ["before the start", "add_job", "add_jobs", "import_jobs"])
def test_each_job_goes_through_real_add_job(make, jobstores, how, tmp_path):
    scheduler = make(WithTime, jobstores=jobstores)
    values = {"func": function, "trigger": "interval", "hours": 1, "id": "a"}
    if how == "before the start":
        scheduler.add_job(**values)
    scheduler.start(paused=True)
    if how == "add_job":
        scheduler.add_job(**values)
    elif how == "add_jobs":
        scheduler.add_jobs([values])
    elif how == "import_jobs":
        other = make(BackgroundScheduler)
        other.start(paused=True)
        other.add_job(**values)
        other.export_jobs(tmp_path / "jobs.json")
        scheduler.import_jobs(tmp_path / "jobs.json")
    job = scheduler.get_job("a")
    assert job.kwargs == {"by": "default"}
    assert job.next_run_time is not None


@pytest.mark.parametrize("started", [False, True])
def test_a_real_add_job_that_does_not_call_ours_adds_the_job(make, jobstores, started):
    scheduler = make(Own, jobstores=jobstores)
    if started:
        scheduler.start()
    job = scheduler.add_job(function, "interval", seconds=0.1, id="a")
    if not started:
        scheduler.start()
    assert wait_for(lambda: HEARD)
    job.name = "another"
    assert scheduler.get_job("a").name == "another"


class Recording(BackgroundScheduler):
    def __init__(self, *args, **options):
        self.codes = []
        self.withheld = 0
        super().__init__(*args, **options)

    def _dispatch_event(self, event):
        self.codes.append(event.code)
        if event.code != self.withheld:
            super()._dispatch_event(event)


def test_every_event_of_apscheduler_goes_through_dispatch_event(make):
    scheduler = make(Recording)
    heard = []
    scheduler.add_listener(
        lambda event: heard.append(event.code), EVENT_JOB_EXECUTED | EVENT_JOB_REMOVED | EVENT_JOB_STARTED
    )
    scheduler.withheld = EVENT_JOB_REMOVED
    scheduler.start()
    scheduler.add_job(function, "date", id="a")
    wait_for(lambda: EVENT_JOB_EXECUTED in heard)
    job = scheduler.add_job(function, "interval", hours=1)
    job.modify(name="b")
    wait_for(lambda: EVENT_JOB_REMOVED in scheduler.codes)
    for code in (
        EVENT_SCHEDULER_STARTED,
        EVENT_JOB_ADDED,
        EVENT_JOB_SUBMITTED,
        EVENT_JOB_EXECUTED,
        EVENT_JOB_MODIFIED,
    ):
        assert code in scheduler.codes
    assert scheduler.codes.count(EVENT_JOB_ADDED) == 2
    assert EVENT_JOB_STARTED not in scheduler.codes  # ours, of which a program of APScheduler's knows nothing
    assert heard == [EVENT_JOB_STARTED, EVENT_JOB_EXECUTED]


def test_a_dispatch_event_that_raises_keeps_nothing_from_being_run(make, caplog):
    scheduler = make(Recording)
    scheduler.start()
    scheduler._dispatch_event = lambda event: 1 / 0
    scheduler.add_listener(lambda event: None)
    with pytest.raises(ZeroDivisionError):
        scheduler.pause()
    scheduler.state = STATE_RUNNING
    del scheduler._dispatch_event
    scheduler.add_job(function, "date")
    assert wait_for(lambda: HEARD)


def test_a_function_that_is_put_into_one_scheduler_is_called_there_alone(make):
    patched, plain = make(BackgroundScheduler), make(BackgroundScheduler)
    events = []
    patched._dispatch_event = events.append
    patched.start()
    patched.add_job(function, "date")
    plain.start()
    wait_for(lambda: any(event.code == EVENT_JOB_EXECUTED for event in events))
    assert plain._event_queue.hook is None
    assert plain._event_queue.mask == 0


class Hourly(BackgroundScheduler):
    def _create_trigger(self, trigger, trigger_args):
        if trigger == "hourly":
            return IntervalTrigger(hours=1)
        return super()._create_trigger(trigger, trigger_args)


class Named(BackgroundScheduler):
    def _create_plugin_instance(self, type_, alias, constructor_kwargs):
        if type_ == "trigger" and alias == "hourly":
            alias, constructor_kwargs = "interval", {"hours": 1}
        return super()._create_plugin_instance(type_, alias, constructor_kwargs)


@pytest.mark.parametrize("cls", [Hourly, Named])
def test_triggers_are_made_by_create_trigger(make, cls):
    scheduler = make(cls)
    scheduler.add_job(function, "hourly", id="before")
    scheduler.start(paused=True)
    scheduler.add_job(function, "hourly", id="a")
    scheduler.add_jobs([{"func": function, "trigger": "hourly", "id": "b"}])
    scheduler.scheduled_job("hourly", id="c")(function)
    scheduler.reschedule_job("a", trigger="hourly")
    assert {str(job.trigger) for job in scheduler.get_jobs()} == {"interval[1:00:00]"}
    assert len(scheduler.get_jobs()) == 4


class Prefixing(BackgroundScheduler):
    def _lookup_job(self, job_id, jobstore_alias):
        return super()._lookup_job(f"app.{job_id}", jobstore_alias)


@pytest.mark.parametrize("started", [False, True])
def test_jobs_are_found_by_lookup_job(make, started):
    scheduler = make(Prefixing)
    scheduler.add_job(function, "interval", hours=1, id="app.a")
    if started:
        scheduler.start(paused=True)
    assert scheduler.get_job("a").id == "app.a"
    assert scheduler.modify_job("a", name="b").name == "b"
    assert scheduler.pause_job("a").next_run_time is None
    assert scheduler.resume_job("a").id == "app.a"
    with pytest.raises(JobLookupError):
        scheduler.modify_job("app.a", name="c")


class Lenient(BackgroundScheduler):
    """Finds something where there is nothing of the name."""

    def _lookup_jobstore(self, alias):
        return super()._lookup_jobstore(alias if alias in self._jobstores else "default")

    def _lookup_executor(self, alias):
        return self._executors.get(alias, self._executors["default"])


def test_job_stores_and_executors_are_found_by_their_lookups(make, jobstores):
    scheduler = make(Lenient)
    scheduler.start()
    # A store that nodes share hands out what is for the executors that were added.
    executor = "default" if isinstance(jobstores["default"], SQLAlchemyJobStore) else "nowhere"
    scheduler.add_job(function, "date", executor=executor, jobstore="nowhere")
    assert wait_for(lambda: HEARD)


def test_a_lookup_that_finds_a_store_that_was_not_added_is_told_what_to_do(make):
    scheduler = make(BackgroundScheduler)
    scheduler._lookup_jobstore = lambda alias: MemoryJobStore()
    scheduler.add_job(function, "interval", hours=1)
    with pytest.raises(TypeError, match="add_jobstore"):
        scheduler.start()


class Capped(BackgroundScheduler):
    """Comes back at least so often, as programs do whose machines sleep."""

    def _process_jobs(self):
        HEARD.append("pass")
        wait = super()._process_jobs()
        return 0.05 if wait is None else min(wait, 0.05)


def test_the_loop_comes_back_when_process_jobs_says_so(make):
    scheduler = make(Capped)
    scheduler.start()
    scheduler.add_job(function, "interval", hours=1)
    wait_for(lambda: len(HEARD) > 5)


def test_what_is_changed_is_changed_by_a_modify_job_of_the_program(make):
    class Audited(BackgroundScheduler):
        def modify_job(self, job_id, jobstore=None, **changes):
            HEARD.append((job_id, sorted(changes)))
            return super().modify_job(job_id, jobstore, **changes)

        def pause_job(self, job_id, jobstore=None):
            return super().pause_job(job_id, jobstore)

    scheduler = make(Audited)
    scheduler.start(paused=True)
    job = scheduler.add_job(function, "interval", hours=1, id="a")
    job.pause()
    job.resume()
    job.reschedule("interval", hours=2)
    assert [job_id for job_id, _ in HEARD] == ["a", "a", "a"]


def test_a_decorated_function_is_added_by_an_add_job_of_the_program(make):
    class Prefixed(BackgroundScheduler):
        def add_job(
            self,
            func,
            trigger=None,
            args=None,
            kwargs=None,
            id=None,  # noqa: A002
            name=None,
            *more,
            **trigger_args,
        ):
            HEARD.append((trigger, trigger_args))
            return super().add_job(func, trigger, args, kwargs, f"app.{id}", name, *more, **trigger_args)

    scheduler = make(Prefixed)
    scheduler.scheduled_job("interval", id="a", hours=1)(function)
    scheduler.start(paused=True)
    assert [job.id for job in scheduler.get_jobs()] == ["app.a"]
    assert HEARD == [("interval", {"hours": 1})]


class Times(BackgroundScheduler):
    """Keeps note of what is to run when, as programs do in a table of their own."""

    def modify_job(self, job_id, jobstore=None, **changes):
        HEARD.append(changes.get("next_run_time", "not named"))
        return super().modify_job(job_id, jobstore, **changes)


@pytest.mark.parametrize("started", [False, True])
def test_a_modify_job_of_the_program_is_told_the_first_time_of_a_new_trigger(make, started):
    scheduler = make(Times)
    if started:
        scheduler.start(paused=True)
    job = scheduler.add_job(function, "interval", hours=1, id="a")
    job.reschedule("interval", hours=2)
    assert job.next_run_time == HEARD.pop() > datetime.now(UTC) + timedelta(hours=1)
    job.pause()
    job.reschedule("interval", hours=3)
    assert HEARD == [None, "not named"]  # a paused job stays paused
    assert job.next_run_time is None


class Looking:
    """Only looks like a job, as what programs' tests have in the place of one."""

    def __init__(self, upcoming):
        self.id = "a"
        self.trigger = self
        self.changes = []
        self.upcoming = upcoming

    def get_next_fire_time(self, previous, now):
        assert previous is None
        return self.upcoming

    def _modify(self, **changes):
        self.changes.append(changes)


@pytest.mark.parametrize("alias", [None, "default"])
def test_what_only_looks_like_a_job_is_changed_by_its_own_methods(make, alias):
    scheduler = make(BackgroundScheduler)
    written, events = [], []
    job = Looking(datetime(2030, 1, 1, tzinfo=UTC))
    store = PickleStore()
    store.update_job = written.append
    scheduler.add_jobstore(store)
    # Put into an object that was made, and is not started.
    scheduler._lookup_job = lambda job_id, jobstore: (job, alias)
    scheduler._dispatch_event = lambda event: events.append((event.code, event.job_id, event.jobstore))
    assert scheduler.modify_job("a", name="b") is job
    assert scheduler.resume_job("a") is job
    assert job.changes == [{"name": "b"}, {"next_run_time": job.upcoming}]
    assert written == ([] if alias is None else [job, job])
    assert events == [(EVENT_JOB_MODIFIED, "a", alias)] * 2
    job.upcoming = None
    scheduler.remove_job = lambda *job: HEARD.append(job)
    assert scheduler.resume_job("a") is None
    assert [("a", alias)] == HEARD


class Every(IntervalTrigger):
    def __init__(self, timezone=None):
        super().__init__(hours=1, timezone=timezone)


class Loaded:
    """As an entry point."""

    def load(self):
        return Every


@pytest.mark.parametrize("names", ["_trigger_plugins", "_trigger_classes"])
@pytest.mark.parametrize("how", ["put", "assigned"])
def test_triggers_can_be_named_by_a_program(make, names, how):
    scheduler = make(BackgroundScheduler)
    scheduler.add_job(function, "interval", hours=1)
    named = {"every": Loaded() if names == "_trigger_plugins" else Every, "interval": Every}
    if how == "assigned":
        setattr(scheduler, names, named)
    else:
        getattr(scheduler, names).update(named)
    assert isinstance(scheduler.add_job(function, "every").trigger, Every)
    assert isinstance(scheduler.add_job(function, "interval").trigger, Every)
    assert type(make(BackgroundScheduler).add_job(function, "interval", hours=1).trigger) is IntervalTrigger


def test_what_is_named_by_the_class_is_known_to_schedulers_that_are_made_then(make):
    BackgroundScheduler._executor_classes["small"] = ThreadPoolExecutor
    BackgroundScheduler._jobstore_plugins["pickles"] = PickleStore
    try:
        scheduler = make(
            BackgroundScheduler,
            executors={"default": {"type": "small", "max_workers": 2}},
            jobstores={"default": {"type": "pickles"}},
        )
    finally:
        del BackgroundScheduler._executor_classes["small"]
        del BackgroundScheduler._jobstore_plugins["pickles"]
    assert scheduler._executors["default"].max_workers == 2
    assert isinstance(scheduler._jobstores["default"], PickleStore)


def test_what_a_pass_that_a_program_makes_has_done_was_told_when_it_is_over(make):
    class Still(BackgroundScheduler):
        def wakeup(self): ...

    scheduler = make(Still, executors={"default": DebugExecutor()})
    heard = []
    scheduler.start(paused=True)
    scheduler.add_listener(lambda event: heard.append((event.code, threading.get_ident())))
    scheduler.state = STATE_RUNNING
    scheduler.add_job(function)
    scheduler._process_jobs()
    codes = [code for code, _ in heard]
    assert codes[-3:] == [EVENT_JOB_SUBMITTED, EVENT_JOB_EXECUTED, EVENT_JOB_REMOVED]


def test_a_pass_in_a_listener_does_not_wait_for_it(make):
    scheduler = make(BackgroundScheduler)
    scheduler.start()
    scheduler.add_listener(lambda event: HEARD.append(scheduler._process_jobs()), EVENT_JOB_EXECUTED)
    scheduler.add_job(function)
    wait_for(lambda: None in HEARD)


def test_uwsgi_is_asked_by_a_method(make):
    class Unasked(BackgroundScheduler):
        def _check_uwsgi(self):
            HEARD.append("asked")

    make(Unasked).start()
    assert HEARD == ["asked"]


def test_default_parts_are_made_by_methods(make):
    class Small(BackgroundScheduler):
        def _create_default_executor(self):
            return ThreadPoolExecutor(2)

        def _create_default_jobstore(self):
            return PickleStore()

    scheduler = make(Small)
    scheduler.start(paused=True)
    assert scheduler._executors["default"]._pool._max_workers == 2
    assert isinstance(scheduler._jobstores["default"], PickleStore)


def test_what_the_library_overrides_itself_is_nobodys_hook(make):
    for cls in (BackgroundScheduler, AsyncIOScheduler):
        assert not replaced(cls, ("_dispatch_event", "_process_jobs", "_real_add_job", "start", "shutdown"))
    assert replaced(Recording, ("_dispatch_event", "_process_jobs")) == {"_dispatch_event"}


# Executors


class Mixin:
    def _run_job_success(self, job_id, events):
        HEARD.append(("ended", job_id))
        super()._run_job_success(job_id, events)


class Mixed(Mixin, ThreadPoolExecutor):
    pass


class Submitting(ThreadPoolExecutor):
    """Runs jobs as copies of APScheduler's own method do, in its pool."""

    def _do_submit_job(self, job, run_times):
        from mainspring.executors.base import run_job

        def ended(future):
            if future.exception() is None:
                self._run_job_success(job.id, future.result())
            else:
                self._run_job_error(job.id, future.exception(), None)

        future = self._pool.submit(run_job, job, job._jobstore_alias, run_times, self._logger.name)
        future.add_done_callback(ended)


class Context(ThreadPoolExecutor):
    """Gives each run something, by a copy of the job that is made slot by slot."""

    def _do_submit_job(self, job, run_times):
        copied = job.__class__.__new__(job.__class__)
        for slot in job.__slots__:
            with contextlib.suppress(AttributeError):
                setattr(copied, slot, getattr(job, slot))
        copied.kwargs = {**job.kwargs, "context": 1}
        super()._do_submit_job(copied, run_times)


class OwnPool(ThreadPoolExecutor):
    def __init__(self):
        super().__init__()
        self._pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="own-pool")


@pytest.mark.parametrize("executor", [Mixed, Submitting, Context, OwnPool])
def test_an_executors_methods_are_called(make, executor):
    scheduler = make(BackgroundScheduler, executors={"default": executor()})
    ended = []
    scheduler.add_listener(lambda event: ended.append(event.retval), EVENT_JOB_EXECUTED)
    scheduler.start()
    job = scheduler.add_job(
        function, "interval", hours=1, args=["a"], id="a", next_run_time=datetime.now(UTC)
    )
    wait_for(lambda: ended == [("a",)])
    assert (("a",), {"context": 1} if executor is Context else {}) in HEARD
    assert (("ended", "a") in HEARD) == (executor is Mixed)
    assert job.kwargs == {}


class Namesake:
    """Only looks like a job."""

    id, max_instances, _jobstore_alias = "a", 1, "default"


def instead(job, jobstore_alias, run_times, logger_name):
    HEARD.append((job.id, jobstore_alias, logger_name, threading.current_thread().name.partition("_")[0]))
    return run_job(job, jobstore_alias, run_times, logger_name)


@pytest.mark.parametrize("before_the_start", [True, False])
def test_what_a_program_has_put_in_the_place_of_run_job_is_called(make, monkeypatch, before_the_start):
    scheduler = make(BackgroundScheduler)
    if not before_the_start:
        scheduler.start(paused=True)
    monkeypatch.setattr("mainspring.executors.pool.run_job", instead)
    if before_the_start:
        scheduler.start(paused=True)
    job = scheduler.add_job(function, id="a", args=["b"])
    if before_the_start:
        scheduler.resume()
    else:
        scheduler._executors["default"].submit_job(job, [datetime.now(UTC)])
    wait_for(lambda: len(HEARD) == 2)
    assert HEARD[0] == ("a", "default", "apscheduler.executors.default", "APScheduler-default-own")
    assert HEARD[1] == (("b",), {})
    wait_for(lambda: not scheduler._executors["default"]._instances["a"])


async def function_on_loop():
    HEARD.append(threading.current_thread())


def test_what_a_program_has_put_in_the_place_of_run_coroutine_job_is_awaited_on_the_loop(monkeypatch):
    import asyncio

    async def instead_on_loop(job, jobstore_alias, run_times, logger_name):
        HEARD.append(job.id)
        return await run_coroutine_job(job, jobstore_alias, run_times, logger_name)

    async def main():
        scheduler = AsyncIOScheduler(timezone="UTC")
        ended = asyncio.Event()
        scheduler.add_listener(lambda event: ended.set(), EVENT_JOB_EXECUTED)
        scheduler.start()
        scheduler.add_job(function_on_loop, id="a")
        await asyncio.wait_for(ended.wait(), 20)
        await scheduler.shutdown()

    monkeypatch.setattr("mainspring.executors.asyncio.run_coroutine_job", instead_on_loop)
    asyncio.run(main())
    assert ["a", threading.current_thread()] == HEARD


@pytest.mark.parametrize("executor", [ThreadPoolExecutor, DebugExecutor])
def test_what_only_looks_like_a_job_is_run_by_run_job(make, executor):
    scheduler = make(BackgroundScheduler, executors={"default": executor()})
    scheduler.start()
    own = scheduler._executors["default"]
    own._run_job_error = lambda job_id, error, traceback: HEARD.append((job_id, type(error)))
    own.submit_job(Namesake(), [datetime.now(UTC)])
    wait_for(lambda: HEARD)
    assert [("a", AttributeError)] == HEARD


def test_parts_that_were_not_started_can_be_copied_with_a_configuration(make):
    config = {
        "executors": {"default": ThreadPoolExecutor(2, {"thread_name_prefix": "copied"}), "own": Mixed()},
        "jobstores": {"default": MemoryJobStore()},
    }
    copied = copy.deepcopy(config)
    scheduler = make(BackgroundScheduler, **copied)
    scheduler.start()
    scheduler.add_job(where)
    scheduler.add_job(function, executor="own", id="a")
    wait_for(lambda: len(HEARD) == 3)
    assert any(isinstance(one, str) and one.startswith("copied") for one in HEARD)
    assert copied["executors"]["default"]._lock is not config["executors"]["default"]._lock
    assert config["jobstores"]["default"].get_all_jobs() == []
    with pytest.raises(TypeError):
        copy.deepcopy(copied)  # they have a scheduler


def where():
    HEARD.append(threading.current_thread().name)


def test_a_pool_that_the_program_gives_runs_the_jobs(make):
    scheduler = make(BackgroundScheduler, executors={"default": OwnPool()})
    scheduler.start()
    scheduler.add_job(where)
    assert wait_for(lambda: HEARD)[0].startswith("own-pool")


def test_a_method_that_is_put_into_an_executor_is_called(make):
    executor = ThreadPoolExecutor()
    scheduler = make(BackgroundScheduler, executors={"default": executor})
    submit = executor.submit_job
    executor.submit_job = lambda job, run_times: (HEARD.append(job.id), submit(job, run_times))
    scheduler.start()
    scheduler.add_job(function, id="a")
    wait_for(lambda: len(HEARD) == 2)


@pytest.mark.parametrize("executor", [ThreadPoolExecutor, Mixed])
def test_runs_that_go_on_are_counted(make, executor):
    scheduler = make(BackgroundScheduler, executors={"default": executor()})
    scheduler.start()
    begun, end = threading.Event(), threading.Event()
    scheduler.add_job(lambda: (begun.set(), end.wait(20)), id="a")
    assert begun.wait(20)
    counts = scheduler._executors["default"]._instances
    try:
        assert counts["a"] == 1
        assert counts.get("a") == 1
        assert dict(counts) == {"a": 1}
        assert counts["another"] == 0
    finally:
        end.set()
    wait_for(lambda: scheduler._executors["default"]._instances["a"] == 0)


def test_a_pool_says_how_many_workers_it_has_before_the_start_and_after():
    for executor in (ThreadPoolExecutor(3), ProcessPoolExecutor(3)):
        assert executor._pool._max_workers == 3
        assert executor._pool._work_queue.qsize() == 0
    future = ThreadPoolExecutor(1)._pool.submit(pow, 2, 3)
    assert future.result(timeout=20) == 8


DUE = ContextVar("DUE", default=None)


class Occurrence(AsyncIOExecutor):
    def _do_submit_job(self, job, run_times):
        token = DUE.set(run_times[0])
        try:
            super()._do_submit_job(job, run_times)
        finally:
            DUE.reset(token)


async def due():
    HEARD.append(DUE.get())


def test_what_an_executor_of_a_loop_sets_for_a_run_is_there_in_the_run():
    import asyncio

    async def main():
        scheduler = AsyncIOScheduler(executors={"default": Occurrence()}, timezone="UTC")
        scheduler.start()
        when = datetime.now(UTC)
        scheduler.add_job(due, "interval", hours=1, next_run_time=when)
        async with asyncio.timeout(20):
            while not HEARD:  # noqa: ASYNC110 - other threads may fill it
                await asyncio.sleep(0.01)
        await scheduler.shutdown()
        assert [when] == HEARD

    asyncio.run(main())


# Job stores


class Upgrading(SQLAlchemyJobStore):
    """Makes new arguments of old ones as jobs are read."""

    def _reconstitute_job(self, job_state):
        job = super()._reconstitute_job(job_state)
        if job.name == "unreadable":
            raise ValueError("nobody knows what this is")
        job._modify(args=(f"{job.args[0]}+",))
        return job


def test_jobs_are_read_by_reconstitute_job_and_written_as_it_made_them(make, tmp_path, caplog):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    plain = make(BackgroundScheduler, jobstores={"default": SQLAlchemyJobStore(url)})
    plain.start(paused=True)
    plain.add_job(function, "interval", hours=1, args=["a"], id="a")
    plain.add_job(function, "interval", hours=1, args=["b"], id="b", name="unreadable")
    plain.shutdown()
    scheduler = make(BackgroundScheduler, jobstores={"default": Upgrading(url)})
    scheduler.start()
    assert "by one scheduler alone" in caplog.text
    assert [job.id for job in scheduler.get_jobs()] == ["a"]
    scheduler.modify_job("a", next_run_time=datetime.now(UTC))
    wait_for(lambda: HEARD)
    scheduler.shutdown()
    assert HEARD[0][0][0].startswith("a+")
    assert caplog.text.count('Unable to restore job "b"') == 1
    again = make(BackgroundScheduler, jobstores={"default": SQLAlchemyJobStore(url)})
    again.start(paused=True)
    assert again.get_job("b") is not None
    assert again.get_job("a").args[0].startswith("a+")


def test_a_method_that_is_put_into_a_store_is_called(make):
    scheduler = make(BackgroundScheduler)
    store = MemoryJobStore()
    scheduler.add_jobstore(store)
    own = store.get_due_jobs
    store.get_due_jobs = lambda now: (HEARD.append("asked"), own(now))[1]
    scheduler.start()
    scheduler.add_job(function, "date")
    wait_for(lambda: "asked" in HEARD and ((), {}) in HEARD)


def test_a_condition_that_is_no_function_is_told_what_to_do(tmp_path):
    store = Upgrading(f"sqlite:///{tmp_path}/jobs.sqlite")
    with pytest.raises(TypeError, match="choose among the jobs"):
        store._get_jobs(store.jobs_t.c.id == "a")


# Lists that programs reach into


def test_pending_jobs_are_a_list_of_three(make):
    scheduler = make(BackgroundScheduler)
    job = scheduler.add_job(function, "interval", hours=1, id="a")
    scheduler.add_job(function, "interval", hours=1, id="b")
    assert [(one.id, alias, replace) for one, alias, replace in scheduler._pending_jobs] == [
        ("a", "default", False),
        ("b", "default", False),
    ]
    scheduler._pending_jobs = [item for item in scheduler._pending_jobs if item[0].id != "b"]
    assert scheduler._pending_jobs[0][0] is job
    scheduler._pending_jobs.append((job, "other", True))
    assert len(scheduler._pending_jobs) == 2
    del scheduler._pending_jobs[1:]
    scheduler.start(paused=True)
    assert [one.id for one in scheduler.get_jobs()] == ["a"]
    assert scheduler._pending_jobs == []


def test_listeners_are_a_list_of_pairs(make):
    scheduler = make(BackgroundScheduler)
    scheduler.add_listener(HEARD.append, EVENT_SCHEDULER_STARTED)
    assert scheduler._listeners == [(HEARD.append, EVENT_SCHEDULER_STARTED)]
    other = []
    scheduler._listeners.append((other.append, EVENT_SCHEDULER_STARTED))
    del scheduler._listeners[0]
    scheduler.start()
    wait_for(lambda: other)
    assert not HEARD
    scheduler._listeners = []
    assert not scheduler._listeners


def test_job_stores_and_executors_are_dicts(make):
    scheduler = make(BackgroundScheduler)
    assert isinstance(scheduler._jobstores, dict)
    scheduler._jobstores = {"default": PickleStore()}
    scheduler._jobstores["second"] = MemoryJobStore()
    scheduler._executors = {"default": ThreadPoolExecutor(1)}
    scheduler.add_job(function, "date")
    scheduler.add_job(function, "date", jobstore="second")
    scheduler.start()
    wait_for(lambda: len(HEARD) == 2)
    scheduler._jobstores.pop("second")
    with pytest.raises(KeyError, match="second"):
        scheduler.add_job(function, "date", jobstore="second")


def test_a_run_that_was_missed_is_told_by_the_logger_of_its_executor(make, caplog):
    scheduler = make(BackgroundScheduler)
    scheduler.add_job(
        function,
        "interval",
        hours=1,
        next_run_time=datetime.now(UTC) - timedelta(minutes=5),
        misfire_grace_time=1,
    )
    with caplog.at_level(logging.WARNING):
        scheduler.start()
        wait_for(lambda: "was missed by" in caplog.text)
    (record,) = [record for record in caplog.records if "was missed by" in record.getMessage()]
    assert (record.name, record.levelname) == ("apscheduler.executors.default", "WARNING")
    assert record.getMessage().startswith('Run time of job "function')


def test_what_is_put_into_an_object_in_the_place_of_a_method_is_seen():
    names = ("shutdown", "start", "places")
    executor = ThreadPoolExecutor()
    assert replaced(executor, names) == frozenset()
    executor.shutdown = executor.shutdown  # the same: nobody has a hand in it
    assert replaced(executor, names) == frozenset()
    executor.shutdown = lambda wait=True: None
    assert replaced(executor, names) == {"shutdown"}
    executor.start = ThreadPoolExecutor().start  # another object's
    assert replaced(executor, names) == {"shutdown", "start"}
    executor.unknown = 1
    assert replaced(executor, ("unknown",)) == {"unknown"}


@pytest.mark.parametrize("name", ["executor", "store"])
def test_nobody_looks_into_the_dictionary_of_what_every_run_reads(name):
    """From then on, Python 3.11 and 3.12 take three times as long to read an attribute: what was an array is a dictionary."""
    scheduler = BackgroundScheduler()
    scheduler.start(paused=True)
    part = scheduler._executors["default"] if name == "executor" else scheduler._stores["default"]
    held = [found for found in gc.get_referents(part) if type(found) is dict and "_alias" in found]
    scheduler.shutdown()
    assert held == []
