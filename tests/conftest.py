"""What most tests need: schedulers that end with the test, and a listener that remembers."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import settings

from mainspring.current import OWN
from mainspring.events import EVENT_EVERY
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import EventRecorder

sys.path.insert(0, str(Path(__file__).parent))  # what tests of several folders share
import servers
from pythons import CONTRACT, is_much_the_same
from stores import MARIADB_ONCE, MONGODB_ONCE, REDIS_ONCE, with_driver

# No deadlines: how long an example takes on a busy machine says nothing about right or wrong. In CI the examples are always
# the same, so that a failure there is the change's; new ones are found at home.
settings.register_profile("mainspring", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mainspring")

# What a shell starts in the background ignores interrupts, and so would the programs that the tests start, and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_run_is_left():
    """The test's own thread is in no run afterwards: what a test runs on it would be taken for that run's doing in later tests."""
    yield
    left = OWN.get()
    OWN.set(None)
    assert left is None, f"the thread of the test is still in {left!r}"


@pytest.fixture
def make_scheduler():
    made = []

    def make(*args, start=False, **options):
        options.setdefault("timezone", "UTC")
        scheduler = BackgroundScheduler(*args, **options)
        made.append(scheduler)
        if start:
            scheduler.start()
        return scheduler

    yield make
    for scheduler in made:
        if scheduler.state:
            scheduler.shutdown(wait=True, timeout=10)


@pytest.fixture
def scheduler(make_scheduler):
    return make_scheduler()


@pytest.fixture
def heard(scheduler):
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_EVERY)
    return recorder


def _talks_to_a_server(item):
    callspec = getattr(item, "callspec", None)
    parameters = () if callspec is None else callspec.params.values()
    return any(f"{kind}_url" in item.fixturenames or kind in parameters for kind in servers.KINDS)


def _takes_long(item):
    return any(item.get_closest_marker(name) for name in ("one_python", "every_python"))


@pytest.hookimpl(tryfirst=True)  # before it is chosen by marks
def pytest_collection_modifyitems(items):
    """What takes long comes first; what talks to a server runs on one Python, and what no Python is likely to change on two.

    So no process of several is left alone with something long in the end. What a server does is the same whichever Python asks it;
    SQLite is a part of Python, and stays.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_takes_long, reverse=True)
    for item in items:
        if _talks_to_a_server(item) and item.path != CONTRACT:
            item.add_marker(pytest.mark.one_python)
        if is_much_the_same(item.path):
            item.add_marker(pytest.mark.two_pythons)


def _encodable(value):
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _encodable(one) for key, one in value.items()}
    return type(value)(map(_encodable, value)) if isinstance(value, (list, tuple)) else value


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable():
    """A lone surrogate in what a test has logged would end its process: execnet sends only what UTF-8 can hold."""
    return _encodable((yield))


def pytest_terminal_summary(terminalreporter, config):
    """Say which servers the tests ran on: there are several that speak MongoDB's protocol, or Redis's."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is not None:
        for words in servers.used(factory._basetemp):
            terminalreporter.write_line(f"server of {words}")


def pytest_unconfigure(config):
    """The first process of the run ends the servers that any of them has started."""
    if hasattr(config, "workerinput"):
        servers.leave_running()
        return
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is not None:
        servers.stop_all(factory._basetemp)


def _server_url(kind, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    try:
        return servers.url_of(kind, folder)
    except servers.ServerMissingError as error:
        servers.missing(str(error))


def _with_driver(url, kind):
    """The soak runs the tests of stores with each driver (`tests/jobstores/test_drivers.py`)."""
    driver = os.environ.get(f"MAINSPRING_TEST_{kind}_DRIVER")
    return url if driver is None else with_driver(url, driver)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    """A PostgreSQL server; tests name tables of their own."""
    return _with_driver(_server_url("postgres", tmp_path_factory), "POSTGRES")


@pytest.fixture(scope="session")
def mariadb_url(tmp_path_factory):
    """A MariaDB server; tests name tables of their own."""
    return _with_driver(_server_url("mariadb", tmp_path_factory), "MARIADB")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A Redis server; tests name keys of their own."""
    return _server_url("redis", tmp_path_factory)


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory):
    """A server that speaks MongoDB's protocol; tests name collections of their own."""
    return _server_url("mongodb", tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgres", MARIADB_ONCE, REDIS_ONCE, MONGODB_ONCE])
def store_url(request, tmp_path):
    """Where each kind of store that nodes can share keeps its jobs."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database_url(request, tmp_path):
    """A database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def tablename():
    """A name for tables, or keys, that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}_jobs"
