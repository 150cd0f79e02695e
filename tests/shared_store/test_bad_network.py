"""Two nodes whose way to the database is cut again and again, or slow: each run is run once, and recorded."""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.testing import EventRecorder
from proxy import Proxy
from stores import MARIADB_ONCE, MONGODB_ONCE, REDIS_ONCE, open_store

RUNS = 200
#: More connections than this are cut before the network is called bad.
CUTS = 20
SLOW_RUNS = 40

ran: Counter[int] = Counter()
_lock = threading.Lock()


def count(number):
    with _lock:
        ran[number] += 1


@pytest.fixture(params=["postgres", MARIADB_ONCE, REDIS_ONCE, MONGODB_ONCE])
def server_url(request):
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def proxy(server_url):
    place = urlsplit(server_url)
    made = Proxy(place.hostname, place.port)
    yield made
    made.close()


@pytest.fixture
def node(make_scheduler, server_url, proxy, tablename):
    ran.clear()

    def make(*, direct=False):
        url = server_url
        if not direct:
            url = url.replace(f":{urlsplit(url).port}", f":{proxy.port}")
            if url.startswith("mongodb"):
                url += "?directConnection=true"  # or it would go where the server says that it is
        return make_scheduler(jobstores={"default": open_store(url, tablename)}, start=True)

    return make


def test_lost_connections_and_lost_answers(node, proxy):
    watching = node(direct=True)
    watching.pause()
    nodes = [node(), node()]
    begin = datetime.now(UTC) + timedelta(seconds=0.5)
    watching.add_jobs(
        {
            "func": count,
            "args": [number],
            "id": str(number),
            "trigger": "date",
            "run_date": begin + timedelta(seconds=4 * number / RUNS),
        }
        for number in range(RUNS)
    )
    chance = random.Random(0)
    moment = threading.Event()
    # A busy machine does less in five seconds: there it goes on until the network was bad enough.
    while proxy.cuts <= CUTS or len(watching.get_runs(outcome="succeeded", limit=RUNS + 1)) < RUNS:
        assert datetime.now(UTC) < begin + timedelta(seconds=100), (len(ran), proxy.cuts)
        moment.wait(chance.uniform(0.02, 0.2))
        if proxy.cuts <= CUTS or datetime.now(UTC) < begin + timedelta(seconds=5):
            if chance.random() < 0.5:
                proxy.cut()
            else:
                proxy.loses_answers = True
    assert ran == Counter(range(RUNS))
    assert len(watching.get_runs(limit=2 * RUNS)) == RUNS
    for each in nodes:
        each.shutdown()


def test_a_slow_database_loses_nothing(node, proxy):
    scheduler = node()
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    proxy.delay = 0.3
    scheduler.add_jobs({"func": count, "args": [number], "trigger": "date"} for number in range(SLOW_RUNS))
    heard.wait_for(EVENT_JOB_EXECUTED, count=SLOW_RUNS, timeout=60)
    proxy.delay = 0.0
    scheduler.shutdown()
    assert ran == Counter(range(SLOW_RUNS))
    scheduler.start(paused=True)
    assert len(scheduler.get_runs(outcome="succeeded", limit=RUNS)) == SLOW_RUNS
    scheduler.shutdown()  # while there is still a way to the database, or it would look for one
