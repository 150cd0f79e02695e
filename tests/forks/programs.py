"""What the programs do that are forked: ``python programs.py NAME ARGUMENT…``, each in a process of its own."""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress

import forking
from forking import PATIENCE, begin, end_of, in_child, lines, note, wait_for

from mainspring.errors import ForkedProcessError, SchedulerNotRunningError
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from mainspring.forks import Undivided, leaves_to_parent, notice_fork
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.schedulers.asyncio import AsyncIOScheduler
from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store

SOME_DAY = "2100-01-01"


def scheduler_on(url: str, name: str = "forked_jobs", **options) -> BackgroundScheduler:
    store = MemoryJobStore() if url == "memory" else open_store(url, name, lease=3, keep_runs=100_000)
    return BackgroundScheduler(timezone="UTC", jobstores={"default": store}, **options)


def sockets() -> list[str]:
    """The connections that this process has, inherited ones too."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [what for what in found if what.startswith("socket:")]


def refusal_of(call, *args, **options) -> ForkedProcessError:
    """The error that says where something is to be done."""
    try:
        call(*args, **options)
    except SchedulerNotRunningError as error:
        if isinstance(error, ForkedProcessError):
            return error
        raise
    raise AssertionError(f"{call} does something")


class Hammer:
    """Threads that ask a scheduler without pause, so that forks come into the middle of that."""

    def __init__(self, scheduler, count: int) -> None:
        self._scheduler = scheduler
        self._stops = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._stops.is_set():
            self._scheduler.get_jobs()
            self._scheduler.get_runs("tick", limit=5)

    def stop(self) -> None:
        self._stops.set()
        for thread in self._threads:
            thread.join()


def share(url: str, name: str, folder: str, children: str) -> None:
    """Children do all that can be done with jobs in a store that processes share; the parent runs them."""
    ran = f"{folder}/ran"
    scheduler = scheduler_on(url, name)
    scheduler.start()
    scheduler.add_job(forking.tick, "interval", seconds=0.1, args=[ran], id="tick", max_instances=5)
    scheduler.add_job(forking.tick, "date", run_date=SOME_DAY, id="later")
    parent = os.getpid()
    early = scheduler.run_job("later")
    hammer = Hammer(scheduler, 3)

    def child(number: int) -> None:
        if url.startswith(("postgresql", "mysql")):
            assert len(sockets()) < 3  # one may just have been on its way
        health = scheduler.health()
        assert (scheduler.running, scheduler.state, health.state, health.runs_in) == (
            False,
            3,
            "forked",
            parent,
        )
        assert not health.ok
        assert not health.store_errors
        assert scheduler.get_job("later").id == "later"
        assert early.wait(PATIENCE).outcome == "succeeded"
        done = scheduler.run_job("later").wait(PATIENCE)
        assert (done.outcome, int(done.result)) == ("succeeded", parent)
        mine = f"of-{number}"
        scheduler.add_job(forking.tick, "date", run_date=SOME_DAY, id=mine, args=[ran])
        scheduler.pause_job(mine)
        assert scheduler.get_job(mine).next_run_time is None
        scheduler.resume_job(mine)
        scheduler.modify_job(mine, name="changed")
        scheduler.reschedule_job(mine, trigger="interval", hours=1)
        assert scheduler.get_job(mine).name == "changed"
        scheduler.remove_job(mine)
        scheduler.add_job(forking.tick, "date", id=f"now-{number}", args=[ran])  # is run by the parent
        for refused in (scheduler.pause, scheduler.resume):
            assert str(parent) in refusal_of(refused).args[0]

    def shut_down(code: int) -> None:
        scheduler.shutdown()
        assert scheduler.health().state == "stopped"
        sys.exit(code)

    for number in range(int(children)):
        exits = (os._exit, sys.exit, shut_down)[number % 3]
        print(number, in_child(lambda number=number: child(number), exits=exits), flush=True)
    hammer.stop()
    wait_for(
        lambda: all(scheduler.get_runs(f"now-{n}", outcome="succeeded") for n in range(int(children))), "runs"
    )
    before = len(lines(ran))
    wait_for(lambda: len(lines(ran)) > before + 5, "more runs")
    store = scheduler._stores["default"]
    print("living", len(store._backend.cluster_status(0).living), flush=True)
    print("ok", scheduler.health().ok, scheduler.health().runs_in, flush=True)
    scheduler.shutdown()
    print("ran by", {int(line.split()[0]) == parent for line in lines(ran)}, flush=True)


def memory(folder: str) -> None:
    """What is in memory is the parent's: a child sees a copy, and can't change it."""
    ran = f"{folder}/ran"
    logging.basicConfig(level=logging.WARNING, format="%(message)s", filename=f"{folder}/log")
    scheduler = scheduler_on("memory")
    scheduler.start()
    scheduler.add_job(forking.tick, "date", run_date=SOME_DAY, id="later", args=[ran])
    ended = scheduler.run_job("later")
    ended.wait(PATIENCE)
    scheduler.add_job(forking.sleep, "date", args=[3, ran], id="goes on")
    wait_for(lambda: scheduler.get_runs("goes on", outcome="running"), "begin")
    going_on = scheduler.wait_for_run
    run_id = scheduler.get_runs("goes on")[0].id
    parent = os.getpid()

    def look() -> None:
        assert scheduler.health().state == "forked"
        assert [job.id for job in scheduler.get_jobs()] == ["later"]
        assert scheduler.get_job("nope") is None
        assert ended.wait(1).outcome == "succeeded"  # it had ended by then
        for call, args in (
            (scheduler.add_job, [forking.tick]),
            (scheduler.run_job, ["later"]),
            (scheduler.pause_job, ["later"]),
            (scheduler.modify_job, ["later"]),
            (scheduler.remove_job, ["later"]),
            (scheduler.remove_all_jobs, []),
            (scheduler.set_group, ["g"]),
            (going_on, [run_id]),
        ):
            options = {"limit": 1} if call == scheduler.set_group else {}
            error = refusal_of(call, *args, **options)
            message = str(error)
            assert error.process == parent
            assert "job store 'default' is in the memory of process" in message, message
            assert "start()" in message

    def start() -> None:
        scheduler.start()
        assert scheduler.running
        assert scheduler.health().runs_in is None
        done = scheduler.run_job("later").wait(PATIENCE)
        assert done.result == str(os.getpid())
        scheduler.shutdown()

    print(in_child(look), in_child(start), in_child(start, exits=sys.exit), flush=True)
    wait_for(lambda: scheduler.get_runs("goes on", outcome="succeeded"), "end of what goes on")
    print([job.id for job in scheduler.get_jobs()], scheduler.health().ok, flush=True)
    scheduler.shutdown()


def endings(url: str, folder: str) -> None:
    """However a child ends, what the parent runs goes on, in threads and in processes."""
    ran = f"{folder}/ran"
    executors = {"default": ThreadPoolExecutor(2), "processes": ProcessPoolExecutor(2)}
    scheduler = scheduler_on(url, executors=executors, daemon=False)
    scheduler.start()
    for executor in executors:
        scheduler.add_job(forking.sleep, "date", args=[3, ran], id=executor, executor=executor)
    wait_for(lambda: len(lines(ran)) == 2, "beginnings")
    atexit.register(lambda: scheduler.shutdown() if scheduler.state else None)

    def goes_by_itself() -> None: ...

    def starts_processes() -> None:
        process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=[0], daemon=True)
        process.start()
        process.join()

    def forks() -> None:
        assert in_child(goes_by_itself, exits=sys.exit) == 0

    for call in (goes_by_itself, starts_processes, forks):
        print(in_child(call, exits=sys.exit), flush=True)
    print(in_child(goes_by_itself), flush=True)
    process = multiprocessing.get_context("fork").Process(target=scheduler.get_jobs)
    process.start()
    process.join(PATIENCE)
    print(process.exitcode, flush=True)
    wait_for(lambda: not scheduler.get_runs(outcome="running"), "end")
    print({run.job_id: run.outcome for run in scheduler.get_runs()} == dict.fromkeys(executors, "succeeded"))
    print(scheduler.health().ok, flush=True)
    scheduler.shutdown()


def forking_job(how: str, folder: str) -> str:
    note(f"{folder}/began", str(os.getpid()))
    pid = os.fork()
    if pid == 0:
        if how == "returns":
            return "child"
        if how == "raises":
            raise ValueError("the child fails")
        sys.exit(0)
    note(f"{folder}/ended", str(end_of(pid)))
    return "parent"


def job_that_forks(url: str, how: str, executor: str, folder: str) -> None:
    """A job's function forks, and its child comes back from it."""
    made = DebugExecutor() if executor == "debug" else ThreadPoolExecutor(1)
    scheduler = scheduler_on(url, executors={"default": made})
    parent = os.getpid()
    scheduler.add_listener(lambda event: note(f"{folder}/events", f"{os.getpid() == parent} {event.code}"))
    for number in range(3):
        scheduler.add_job(forking_job, "date", args=[how, folder], id=f"job{number}", misfire_grace_time=None)
    scheduler.start()
    wait_for(lambda: len(scheduler.get_runs(outcome="succeeded")) == 3, "end of the jobs")
    print({run.result for run in scheduler.get_runs()}, len(scheduler.get_runs()), flush=True)
    scheduler.shutdown()
    print(len(lines(f"{folder}/began")), lines(f"{folder}/ended"), flush=True)
    print({line.split()[0] for line in lines(f"{folder}/events")}, flush=True)


def both_run(url: str, folder: str) -> None:
    """A child starts the same scheduler for itself: two nodes, and each due time is run once."""
    ran = f"{folder}/ran"
    scheduler = scheduler_on(url, executors={"default": ThreadPoolExecutor(1)})
    scheduler.start()
    scheduler.add_job(forking.sleep, "interval", seconds=0.05, args=[0.04, ran], id="tick", max_instances=3)
    parent = os.getpid()

    def join_in() -> None:
        scheduler.start()
        assert (scheduler.running, scheduler.health().state) == (True, "running")
        living = scheduler._stores["default"]._backend.cluster_status(0).living
        assert len({node.name for node in living}) == 2, living
        wait_for(lambda: str(os.getpid()) in {line.split()[0] for line in lines(ran)}, "run in the child")
        scheduler.shutdown()

    pid = begin(join_in, exits=sys.exit)
    print(end_of(pid), flush=True)
    before = len(lines(ran))
    wait_for(lambda: len(lines(ran)) > before + 5, "more runs")
    scheduler.shutdown()
    runs = scheduler_on(url)
    runs.start(paused=True)
    records = runs.get_runs("tick", limit=100_000)
    print(len(records) == len({run.scheduled_run_time for run in records}), flush=True)
    print({run.outcome for run in records} <= {"succeeded", "skipped", "missed"}, flush=True)
    print({int(line.split()[0]) for line in lines(ran)} == {parent, pid}, flush=True)
    runs.shutdown()


def on_a_loop(url: str) -> None:
    """The parent's loop is not the child's."""

    async def main() -> None:
        store = open_store(url, "forked_jobs", lease=3)
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        await scheduler.astart()
        await scheduler.aadd_job(forking.tick, "date", run_date=SOME_DAY, id="later")

        async def in_a_loop_of_its_own() -> None:
            assert scheduler.health().state == "forked"
            assert (await scheduler.aget_job("later")).id == "later"
            handle = await scheduler.arun_job("later")
            assert (await handle).outcome == "succeeded"
            await scheduler.astart()
            assert scheduler.running
            handle = await scheduler.arun_job("later")
            await handle
            await scheduler.shutdown()

        pid = begin(lambda: asyncio.new_event_loop().run_until_complete(in_a_loop_of_its_own()))
        print(await asyncio.to_thread(end_of, pid), flush=True)
        assert scheduler.running
        await (await scheduler.arun_job("later"))
        await scheduler.shutdown()
        print("ended", flush=True)

    asyncio.run(main())


def sqlite_in_threads(folder: str) -> None:
    """Threads are in SQLite all the time; children open a file of their own."""
    stores = [open_store(f"sqlite:///{folder}/{number}.sqlite", "forked_jobs") for number in range(3)]
    stops = threading.Event()

    def hammer(store) -> None:
        database = store._backend.database
        with database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE numbers (a, b)")
        while not stops.is_set():
            with database.writing() as connection:
                rows = [(number, "x" * 50) for number in range(200)]
                connection.exec_driver_sql("INSERT INTO numbers VALUES (?, ?)", rows)
            with database.reading() as connection:
                connection.exec_driver_sql("SELECT * FROM numbers ORDER BY b, a LIMIT 2000").fetchall()

    threads = [threading.Thread(target=hammer, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    time.sleep(0.2)

    def child() -> None:
        with stores[0]._backend.database.reading() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").fetchall()

    print({in_child(child) for _ in range(20)}, flush=True)
    stops.set()
    for thread in threads:
        thread.join()


class TheirStore(BaseJobStore):
    """As programs have subclassed it for years."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = {}

    def lookup_job(self, job_id):
        return self.jobs.get(job_id)

    def get_due_jobs(self, now):
        return []

    def get_next_run_time(self):
        return None

    def get_all_jobs(self):
        return list(self.jobs.values())

    def add_job(self, job):
        self.jobs[job.id] = job

    def update_job(self, job):
        self.jobs[job.id] = job

    def remove_job(self, job_id):
        del self.jobs[job_id]

    def remove_all_jobs(self):
        self.jobs.clear()


def theirs() -> None:
    """A store that serves one process can't even be looked at: it may ask over its parent's connection."""
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": TheirStore()})
    scheduler.start()
    scheduler.add_job(forking.tick, "date", run_date=SOME_DAY, id="later")

    def look() -> None:
        for call, args in (
            (scheduler.get_jobs, ()),
            (scheduler.get_job, ("later",)),
            (scheduler.add_job, (print,)),
        ):
            assert "serves one process only" in str(refusal_of(call, *args))

    print(in_child(look), len(scheduler.get_jobs()), flush=True)
    scheduler.shutdown()


_LOCKS = (type(threading.Lock()), type(threading.RLock()))


def locks_of(root: object) -> dict[str, object]:
    """Every lock that our objects have that can be come to from `root`, by where it is."""
    found: dict[str, object] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [("", root)]
    while waiting:
        path, thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type | Undivided):  # the fork itself waits for that
            continue
        seen.add(id(thing))
        if isinstance(thing, _LOCKS):
            found[path] = thing
        elif isinstance(thing, dict):
            waiting += [(f"{path}[{key!r}]", value) for key, value in thing.items()]
        elif isinstance(thing, list | tuple | set | frozenset):
            waiting += [(f"{path}[]", value) for value in thing]
        elif hasattr(thing, "__self__"):
            waiting.append((f"{path}.__self__", thing.__self__))
        elif type(thing).__module__.partition(".")[0] == "mainspring" or isinstance(
            thing, threading.Condition | threading.Event
        ):
            waiting += [(f"{path}.{type(thing).__name__}", value) for value in gc.get_referents(thing)]
    return found


def locks(folder: str) -> None:
    """Whatever lock is held at the fork, in the child none is."""
    stores = {
        "default": MemoryJobStore(),
        "database": open_store(f"sqlite:///{folder}/jobs.sqlite", "forked_jobs"),
        "adapted": TheirStore(),
    }
    executors = {"default": ThreadPoolExecutor(1), "processes": ProcessPoolExecutor(1)}
    scheduler = BackgroundScheduler(timezone="UTC", jobstores=stores, executors=executors)
    scheduler.add_listener(lambda event: None)
    scheduler.start()
    scheduler.add_job(forking.tick, "date", run_date=SOME_DAY, id="later", jobstore="database")
    for executor in executors:
        scheduler.add_job(forking.tick, id=executor, executor=executor)
    scheduler.add_job(forking.tick, trigger="date", run_date=SOME_DAY, id="queued")
    wait_for(lambda: not scheduler.get_runs(outcome="running"), "end")
    held = locks_of(scheduler)
    ready = threading.Event()

    def hold() -> None:
        for lock in held.values():
            lock.acquire(timeout=1)
        ready.set()
        threading.Event().wait()

    threading.Thread(target=hold, daemon=True).start()
    ready.wait()

    def child() -> None:
        still = locks_of(scheduler)
        assert len(still) > 15, still
        taken = [path for path, lock in still.items() if not lock.acquire(blocking=False)]
        for path in taken:
            print("held:", path, flush=True)
        for path, lock in still.items():
            if path not in taken:
                lock.release()
        assert scheduler.get_job("later").id == "later"
        scheduler.shutdown()

    print(len(held) > 15, in_child(child), flush=True)
    os._exit(0)


class _Interrupted:
    """A part to which a signal comes in the middle of what it does in a child."""

    def __init__(self, number: int, done: list[str]) -> None:
        self._number, self._done = number, done
        leaves_to_parent(self)

    def leave_to_parent(self) -> None:
        self._done.append("begun")
        os.kill(os.getpid(), self._number)
        self._done.append("ended")


class _OwnError(Exception):
    """What the program's own handler raises."""


def interrupted(where: str, how: str) -> None:
    """A signal comes to one of the two processes while it is being forked: it says what was done there before the signal was handled."""
    done: list[str] = []

    def own_handler(*_) -> None:
        done.append("handled")
        raise _OwnError

    number, raised = (signal.SIGINT, KeyboardInterrupt)
    if how == "own handler":
        number, raised = signal.SIGUSR1, _OwnError
        signal.signal(number, own_handler)
    parent = os.getpid()
    scheduler = scheduler_on("memory", handle_signals=where == "child")
    scheduler.start()
    if where != "parent":
        parts = [_Interrupted(number, done) for _ in range(2)]
        os.register_at_fork(after_in_child=lambda: done.append("others"))
    else:
        parts = []
        # To this thread, as another one lets it in.
        main = threading.get_ident()
        os.register_at_fork(
            after_in_parent=lambda: (signal.pthread_kill(main, number), done.append("others"))
        )
    try:
        if where == "child of C":
            ctypes.PyDLL(None).fork()
            notice_fork()
            os.getpid()  # when a call of C returns, Python looks
        else:
            os.fork()
        done.append("not told")
    except raised:
        done.append("told")
    is_here = (os.getpid() == parent) == (where == "parent")
    if is_here:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        print(len(parts), *done, scheduler.health().state, set(mask), flush=True)
    if os.getpid() == parent:
        os.wait()
    os._exit(0)


if __name__ == "__main__":
    sys.modules["programs"] = sys.modules[
        "__main__"
    ]  # so that jobs have a reference that other processes understand
    for function in (forking_job,):
        function.__module__ = "programs"
    globals()[sys.argv[1]](*sys.argv[2:])
