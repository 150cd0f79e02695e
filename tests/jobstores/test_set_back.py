"""What people are told of a store that was set back, unused, or whose clock was."""

from __future__ import annotations

import logging
from datetime import UTC, timedelta

import pytest

from mainspring.engine.decision import Decision
from mainspring.engine.setbacks import SetBack, Unused
from mainspring.jobstores.shared.outage import Outage
from mainspring.jobstores.shared.set_back import Past
from mainspring.model import QueuedRun, RunResult, Submission
from mainspring.testing.conformance import SECOND, START, record

FOUND = SetBack(START, START + 60 * SECOND, START + 100 * SECOND)


class Lease:
    token = 7

    def __init__(self, *, is_lost):
        self.is_lost = lambda: is_lost


@pytest.fixture
def past():
    outage = Outage(lambda _: None, "here:")
    outage.alias, outage.logger = "main", logging.getLogger("mainspring.test")
    return Past(outage)


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, "mainspring.test")
    return lambda: [f"{one.levelname} {one.getMessage()}" for one in caplog.records]


def decided(job_id, second, *, runs=True, queued=None):
    decision = Decision(record(job_id)._replace(next_run_time=START + second * SECOND))
    if runs:
        decision.submit = [START + second * SECOND]
    if queued is not None:
        due = START + queued * SECOND
        decision.run = QueuedRun(job_id, due, 1, due, "manual")
    return decision


@pytest.mark.parametrize(
    ("to", "words"),
    [(START, "it holds what it held at 2026-01-01 00:00:00 UTC"), (None, "it knows nobody any more")],
)
def test_a_store_that_was_set_back_is_told_of_by_its_node(past, said, to, words):
    start = START.replace(tzinfo=UTC)
    found = SetBack(to and start, start + 60 * SECOND, start + 100 * SECOND)
    assert not past.is_doubtful
    past.was_set_back(found, "node-1")
    assert past.is_doubtful
    (line,) = said()
    assert line.startswith(
        "WARNING Job store 'main' (here:) was set back, as by a backup that was restored: it "
    )
    assert "had been told more until" in line
    assert words.removeprefix("it ").split(" 2026")[0] in line
    assert "by node node-1, which goes on as a new one" in line
    (sentence,) = past.sentences
    assert sentence.startswith("it was set back, as by")


@pytest.mark.parametrize(
    ("ago", "silent", "lines", "words"),
    [
        (30, ("n1", "n2"), 1, "WARNING Job store 'main' (here:) was used by nobody since"),
        (30, ("n1", "n2"), 1, "and n1, n2 had not left: that died then"),
        (61, (), 1, "INFO Job store 'main' (here:) was used by nobody since"),
        (61, (), 1, "for 0:01:01: what was due since is overdue"),
        (60, (), 0, ""),
    ],
)
def test_a_store_that_nobody_used(past, said, ago, silent, lines, words):
    past.was_unused(Unused(START, silent), START + ago * SECOND)
    assert len(said()) == lines
    assert words in "".join(said())
    assert len(past.sentences) == bool(silent)


def test_of_many_silent_nodes_some_are_named(past, said):
    past.was_unused(Unused(START, tuple(f"n{number}" for number in range(21))), START + SECOND)
    assert "n19 had not left" in said()[0]


def test_a_clock_that_was_set_back(past, said):
    past.clock_was_set_back(timedelta(seconds=3600.4))
    assert "has a clock that was set back by 1:00:00 or more" in said()[0]
    assert len(past.sentences) == 1


def test_what_is_claimed_is_told_of_if_it_may_have_been_run_before(past, said):
    past.tell_of([decided("a", 50)])
    assert said() == []  # nothing is known to be lost
    past.was_set_back(FOUND, "node-1")
    past.tell_of([decided("a", 101), decided("b", 0)])
    assert len(said()) == 1  # they are of before and after what is lost
    past.tell_of(
        [
            decided("a", 1),
            decided("b", 100, runs=False),
            decided("c", 101, queued=7),
            decided("d", 5, queued=101),
        ]
    )
    assert said()[1] == (
        "WARNING Due in the time that job store 'main' has lost, and perhaps run before: 'a' due at 2026-01-01 00:00:01 UTC, "
        "'b' due at 2026-01-01 00:01:40 UTC (not run), 'c' due at 2026-01-01 00:00:07 UTC"
    )


@pytest.mark.parametrize(("count", "more"), [(20, ""), (21, " and 1 more"), (25, " and 5 more")])
def test_of_many_that_are_claimed_some_are_named(past, said, count, more):
    past.was_set_back(FOUND, "node-1")
    past.tell_of([decided(f"j{number}", 5) for number in range(count)])
    assert "'j19' due at" in said()[1]
    assert "'j20'" not in said()[1]
    assert said()[1].endswith(f"00:00:05 UTC{more}")


def test_what_was_under_way_is_told_of_when_it_has_ended(past, said):
    times = [START, START + SECOND]
    submissions = [
        Submission(record("lost"), "main", times, 2, lease=Lease(is_lost=True)),
        Submission(record("held"), "main", times, lease=Lease(is_lost=False)),
        Submission(record("free"), "main", times),
    ]
    for submission in submissions:
        for time in times:
            submission.add_result(RunResult(time, "failed", START, START))
    past.tell_of_ended(submissions)
    named = [
        f"lost/2026-01-01T00:00:0{second}.000000Z/{submissions[0].attempt_of(times[second])}"
        for second in (0, 1)
    ]
    assert said() == [
        f"WARNING Run '{name}' was under way when job store 'main' was set back, and has ended (failed): it is in the history if the store "
        f"knows of its beginning [run {name}]"
        for name in named
    ]
