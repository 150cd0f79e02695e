"""A machine's clock is set while its node runs: nothing is early by the store's clock, nothing stands still, nothing is done twice."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest
from burning import Fire
from grounds import PostgresGround
from nodes import wait_for

import servers
from stores import kind_marks

#: Where Debian and others keep it; the one for programs with threads last, since it isn't needed where the monotonic clock is true.
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
pytestmark = pytest.mark.timeout(240)


class Clock:
    """The wall clock of processes, as it may be set.

    Attributes:
        environment: of the processes that have it.
    """

    def __init__(self, path: Path, hours: float = 0.0) -> None:
        if not LIBRARIES:
            servers.missing("faketime is not installed (apt-get install faketime)")
        self._path = path
        self.set(hours)
        self.environment = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, hours: float) -> None:
        """So many hours fast."""
        new = self._path.with_suffix(".new")
        new.write_text(f"{hours * 3600:+.3f}s\n")
        new.replace(self._path)


def cases(often, steps):
    return [
        pytest.param(
            kind,
            step,
            id=f"{kind}-{name}",
            marks=kind_marks(kind, often=(kind, name) in often),
        )
        for kind in ("postgres", "mariadb", "redis", "mongodb")
        for name, step in steps.items()
    ]


def _watch_the_schedule(fire, since, step):
    """Add jobs, step, and see that all goes on as if nothing had been."""
    later = [
        fire.add(f"in-{minutes}-minutes", "work", after=60 * minutes, on_lost="rerun")
        for minutes in (30, 60, 110)
    ]
    ticks = [
        fire.add(f"tick{n}", "work", trigger="interval", seconds=seconds, misfire_policy="all")
        for n, seconds in enumerate((0.3, 0.7))
    ]
    retried = fire.add("retried", "fail", 1, retry={"attempts": 3, "delay": 2.5})
    wait_for(lambda: fire.diary.began()[ticks[0]] > 2 and fire.diary.began()[retried], "first runs")
    step()
    before = fire.diary.began()
    begin = time.monotonic()
    wait_for(
        lambda: all(fire.diary.began()[job_id] > before[job_id] + 4 for job_id in ticks), "next ticks", 20
    )
    took = time.monotonic() - begin
    wait_for(lambda: fire.outcomes(retried) == ["failed", "succeeded"], "retry", 20)
    calls = [call for call in fire.diary.calls() if call.job_id == retried]
    assert calls[1].began - calls[0].began > 2.3
    fire.remove(*ticks)
    wait_for(lambda: not fire.going(since), "end of what goes on")
    assert not set(later) & set(fire.diary.began())
    assert fire.faults(since) == []
    assert took < 5 * 0.7 + 3
    for run in fire.scheduler.get_runs(limit=1_000_000):
        for moment in (run.claimed, run.started, run.finished):
            assert moment is None or since - timedelta(seconds=1) < moment < fire.now(), run


STEPS = {
    "two-hours-slow": (-2.0, 0.0),
    "two-hours-fast": (2.0, 0.0),
    "set-back": (0.0, -2.0),
    "set-forward": (0.0, 2.0),
    "years": (-400_000.0, 0.0),
}


@pytest.mark.parametrize(
    ("ground", "step"), cases({("postgres", "two-hours-slow")}, STEPS), indirect=["ground"]
)
def test_one_of_two_clocks_is_set(ground, tmp_path, step):
    fire = Fire(ground, tmp_path)
    try:
        clock = Clock(tmp_path / "clock", step[0])
        fire.start(1, clock.environment)
        fire.start(1)
        _watch_the_schedule(fire, fire.now(), lambda: clock.set(step[1]))
        fire.stop()
    finally:
        fire.close()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("ground", "everybody"), cases(set(), {"one": False, "all": True}), indirect=["ground"]
)
def test_clocks_are_set_again_and_again(ground, tmp_path, everybody):
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    fire = Fire(ground, tmp_path)
    try:
        clocks = [Clock(tmp_path / f"clock{n}") for n in range(2)]
        for n, clock in enumerate(clocks):
            fire.start(1, clock.environment if everybody or n == 0 else None)

        def step():
            for _ in range(12):
                for clock in clocks:
                    clock.set(chance.choice([0.0, chance.uniform(-3, 3), chance.uniform(-0.01, 0.01)]))
                time.sleep(chance.uniform(0.1, 0.8))  # between the steps that are tested

        _watch_the_schedule(fire, fire.now(), step)
        fire.stop()
    finally:
        fire.close()


@pytest.mark.soak
@pytest.mark.parametrize("ground", ["sqlite"], indirect=True)
@pytest.mark.parametrize("hours", [-2.0, 2.0, -0.002])
def test_the_clock_of_a_machine_with_a_file_is_set(ground, tmp_path, hours):
    """The machine's clock is the store's; what was due by it has been run, and what goes on by it goes on."""
    fire = Fire(ground, tmp_path)
    try:
        clock = Clock(tmp_path / "clock")
        nodes = fire.start(2, clock.environment)
        tick = fire.add("tick", "work", trigger="interval", seconds=0.3)
        flag = fire.flag("held")
        held = fire.add("held", "hold", str(flag), on_lost="rerun")
        wait_for(lambda: fire.diary.began()[tick] > 2, "first runs")
        fire.wait_until_begun(held)
        clock.set(hours)
        time.sleep(1.5 * fire.lease)  # in which somebody might be taken for dead
        flag.touch()
        fire.wait_until_over(held)
        wait_for(lambda: fire.outcomes(held) == ["succeeded"], "outcome")
        assert fire.diary.began()[held] == 1
        runs = fire.diary.lines("began")
        twice = [line["scheduled"] for line in runs if line["job"] == tick]
        assert len(twice) == len(set(twice))
        if hours > 0:
            before = fire.diary.began()[tick]
            wait_for(lambda: fire.diary.began()[tick] > before + 3, "next ticks", 20)
        assert fire.alive == nodes
        fire.stop()
    finally:
        fire.close()


class _WithClock(servers.Postgres):
    """A server whose clock may be set."""

    clock: Clock

    def _arguments(self) -> list[str]:
        arguments = super()._arguments()
        place = arguments.index(self.program)
        # After the change of the user, who couldn't use what the library shares with other processes.
        given = {**self.clock.environment, "FAKETIME_DISABLE_SHM": "1"}
        return [
            *arguments[:place],
            "env",
            *(f"{name}={value}" for name, value in given.items()),
            *arguments[place:],
        ]


@pytest.mark.soak
@pytest.mark.parametrize("hours", [2.0, -2.0])
def test_the_clock_of_a_server_is_set(hours, tmp_path, request):
    """It is believed: what is due by it is run, once; and nobody is dead by it."""
    folder = Path(tempfile.mkdtemp(prefix="mainspring-clock-", dir="/tmp"))
    folder.chmod(0o755)  # the server's user reads the file
    request.addfinalizer(lambda: shutil.rmtree(folder))
    clock = Clock(folder / "clock")
    try:
        ground = PostgresGround(type("_Server", (_WithClock,), {"clock": clock})(durable=True))
    except servers.ServerMissingError as error:
        servers.missing(str(error))
    request.addfinalizer(ground.close)
    fire = Fire(ground, tmp_path)
    try:
        fire.start(2)
        flag = fire.flag("held")
        held = fire.add("held", "hold", str(flag), on_lost="rerun")
        soon = fire.add("in-an-hour", "work", after=3600)
        late = fire.add("in-a-day", "work", after=86_400)
        tick = fire.add("tick", "work", trigger="interval", seconds=0.3, max_instances=50)
        wait_for(lambda: fire.diary.began()[tick] > 2, "first runs")
        fire.wait_until_begun(held)
        clock.set(hours)
        time.sleep(2 * fire.lease)  # in which somebody might be taken for dead
        if hours < 0:
            assert not fire.diary.began()[soon]
            clock.set(0.0)
        before = fire.diary.began()[tick]
        wait_for(lambda: fire.diary.began()[tick] > before + 3, "next ticks", 20)
        if hours > 0:
            wait_for(lambda: fire.diary.began()[soon] == 1, "what is due by that clock", 20)
        flag.touch()
        fire.wait_until_over(held)
        wait_for(lambda: fire.outcomes(held) == ["succeeded"], "outcome")
        assert fire.diary.began()[held] == 1
        assert not fire.diary.began()[late]
        due = [line["scheduled"] for line in fire.diary.lines("began") if line["job"] == tick]
        assert len(due) == len(set(due))
        assert {run.outcome for run in fire.scheduler.get_runs(limit=100_000)} <= {"succeeded", None}
        fire.stop()
    finally:
        clock.set(0.0)
        fire.close()
