"""What happens when the wall clock is set, or the machine sleeps."""

import os
import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.testing import EventRecorder, SettableClock

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
STEP = timedelta(minutes=1)


@pytest.fixture
def clock():
    return SettableClock(START + STEP)


@pytest.fixture
def ticking(make_scheduler, clock):
    scheduler = make_scheduler(clock=clock)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    scheduler.start()
    scheduler.add_job(print, "cron", minute="*/10", second=0, id="a", kwargs={"end": ""})
    return heard


def test_a_clock_set_forward_is_noticed_within_two_seconds(ticking, clock):
    clock.set_wall(START + timedelta(minutes=25))
    clock.advance(1)
    clock.advance(1)
    (event,) = ticking.wait_for(EVENT_JOB_EXECUTED)
    assert event.scheduled_run_time == START + timedelta(minutes=20)


def test_a_clock_set_back_runs_nothing_twice(ticking, clock):
    clock.advance(9 * STEP)
    ticking.wait_for(EVENT_JOB_EXECUTED, count=1)
    clock.set_wall(START - timedelta(hours=1))
    for _ in range(79):
        clock.advance(STEP)
    assert len(ticking.events) == 1
    clock.advance(STEP)
    events = ticking.wait_for(EVENT_JOB_EXECUTED, count=2)
    assert [event.scheduled_run_time for event in events] == [
        START + timedelta(minutes=10),
        START + timedelta(minutes=20),
    ]


def test_after_a_suspended_night_one_run_makes_up_for_all(ticking, clock):
    clock.set_wall(START + timedelta(hours=9, minutes=5))  # the monotonic clock has stood still meanwhile
    clock.advance(1)
    clock.advance(1)
    (event,) = ticking.wait_for(EVENT_JOB_EXECUTED)
    assert event.scheduled_run_time == START + timedelta(hours=9)


PROGRAM = """
    import datetime, sys, threading, time
    from mainspring.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start()
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    ran = threading.Event()
    scheduler.add_job(ran.set, "date", run_date=due)
    print("waiting", flush=True)
    sys.stdin.readline()
    print("ran" if ran.wait(30) else "never", flush=True)
    scheduler.shutdown()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="libfaketime is for Linux")
def test_a_real_clock_set_forward_by_an_hour(tmp_path):
    faketime = shutil.which("faketime")
    if faketime is None:
        if os.environ.get("CI"):
            pytest.fail("faketime is not installed, and CI must have it: apt-get install faketime")
        pytest.skip("faketime is not installed (apt-get install faketime)")
    offset = tmp_path / "offset"
    offset.write_text("+0")
    environment = {
        **os.environ,
        "LD_PRELOAD": _library(faketime),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    with subprocess.Popen(
        [sys.executable, program],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "waiting\n"
        offset.write_text("+3600")
        output, _ = process.communicate("\n", timeout=60)
    assert output == "ran\n"  # and not an hour later


def _library(faketime):
    shown = subprocess.run(
        [faketime, "-f", "+0", "sh", "-c", "echo $LD_PRELOAD"], capture_output=True, text=True, check=True
    )
    return shown.stdout.strip()
