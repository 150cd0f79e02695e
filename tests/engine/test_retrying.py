"""Whether a run that failed, or was lost, is run again, and when."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.retrying import after_loss, rerun_pause, retry_time
from mainspring.errors import NodeLostError
from mainspring.model import JobOptions, QueuedRun, RunKey
from mainspring.retry import Retry

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEY = RunKey("a", START, 2)
BERLIN = ZoneInfo("Europe/Berlin")


def wait(retry, attempt=1, error=OSError, run_id="a/1"):
    """Seconds until the next attempt, or ``None``."""
    at = retry_time(retry, attempt, error, START, run_id)
    return None if at is None else (at - START).total_seconds()


@pytest.mark.parametrize(
    ("attempts", "attempt", "again"),
    [(3, 1, True), (3, 2, True), (3, 3, False), (3, 4, False), (1, 1, False)],
)
def test_it_is_tried_as_often_as_was_said(attempts, attempt, again):
    assert (wait(Retry(attempts), attempt) is not None) is again


@pytest.mark.parametrize(
    ("options", "waits"),
    [
        ({"delay": 60}, [60, 120, 240, 480]),
        ({"delay": 60, "backoff": 1}, [60, 60, 60, 60]),
        ({"delay": 60, "backoff": 5}, [60, 300, 1500, 3600]),  # an hour, at most, if nothing else is said
        ({"delay": 60, "longest_delay": 100}, [60, 100, 100, 100]),
        ({"delay": 60, "longest_delay": 10}, [10, 10, 10, 10]),
        ({"delay": 0}, [0, 0, 0, 0]),
        ({"delay": 1, "backoff": 1.5}, [1, 1.5, 2.25, 3.375]),
    ],
)
def test_each_wait_is_longer_than_the_one_before_up_to_the_longest(options, waits):
    assert [wait(Retry(10, **options), attempt) for attempt in (1, 2, 3, 4)] == waits


@pytest.mark.parametrize("backoff", [2, 10, 1e6])
def test_the_thousandth_wait_can_be_computed(backoff):
    retry = Retry(10**6, delay=timedelta(days=1), backoff=backoff, longest_delay=timedelta(days=2))
    assert [wait(retry, attempt) for attempt in (2, 65, 66, 10_000)] == [2 * 86400] * 4


def test_a_tiny_delay_grows_all_the_same():
    retry = Retry(1000, delay=timedelta(microseconds=1), backoff=10, longest_delay=10**9)
    assert [wait(retry, attempt) for attempt in (7, 12, 13, 14, 100)] == [1, 10**5, 10**6, 10**6, 10**6]
    steep = Retry(1000, delay=timedelta(microseconds=1), backoff=1e5, longest_delay=10**9)
    assert [wait(steep, attempt) for attempt in (2, 3, 4, 5)] == [0.1, 10**4, 10**6, 10**6]


def test_jitter_comes_on_top_differs_between_runs_and_is_the_same_whoever_asks():
    retry = Retry(3, delay=10, jitter=20)
    waits = [wait(retry, run_id=f"a/{number}") for number in range(200)]
    assert waits == [wait(retry, run_id=f"a/{number}") for number in range(200)]
    assert all(10 <= seconds < 30 for seconds in waits)
    assert min(waits) < 11
    assert max(waits) > 29
    assert len(set(waits)) == 200


def test_jitter_is_not_part_of_the_longest_delay():
    retry = Retry(3, delay=10, jitter=20, longest_delay=10)
    assert max(wait(retry, run_id=f"a/{number}") for number in range(50)) > 20


class OursError(OSError):
    pass


@pytest.mark.parametrize(
    ("options", "error", "again"),
    [
        ({}, ValueError, True),
        ({}, KeyboardInterrupt, True),
        ({"on": OSError}, OSError, True),
        ({"on": OSError}, OursError, True),  # derived from it
        ({"on": OSError}, ValueError, False),
        ({"on": (OSError, ValueError)}, ValueError, True),
        ({"on": OursError}, OSError, False),
        ({"on": Exception}, ValueError, True),
        ({"on": BaseException}, KeyboardInterrupt, True),
        ({"on": "builtins:OSError"}, OursError, True),
        ({"not_on": OSError}, OSError, False),
        ({"not_on": OSError}, OursError, False),
        ({"not_on": OSError}, ValueError, True),
        ({"on": OSError, "not_on": OursError}, OSError, True),
        ({"on": OSError, "not_on": OursError}, OursError, False),
        ({"on": TimeoutError}, TimeoutError, True),
    ],
)
def test_after_which_errors(options, error, again):
    assert (wait(Retry(3, **options), error=error) is not None) is again


def test_an_hour_that_comes_twice_is_waited_through():
    finished = datetime(2026, 10, 25, 2, 50, tzinfo=BERLIN)
    at = retry_time(Retry(3, delay=1200), 1, OSError, finished, "a/1")
    assert at.timestamp() - finished.timestamp() == 1200
    assert (at.hour, at.minute, at.fold, at.tzinfo) == (2, 10, 1, BERLIN)


@pytest.mark.parametrize(
    ("options", "queued"),
    [
        ({}, None),
        ({"on_lost": "rerun"}, QueuedRun("a", START, 3, START + SECOND, "rerun", 1)),
        (
            {"on_lost": "rerun", "retry": Retry(1, on=ValueError)},
            QueuedRun("a", START, 3, START + SECOND, "rerun", 1),
        ),
        ({"retry": Retry(3, delay=60)}, QueuedRun("a", START, 3, START + 121 * SECOND, "retry")),
        ({"retry": Retry(2, delay=60)}, None),
        (
            {"retry": Retry(3, delay=60, on=NodeLostError)},
            QueuedRun("a", START, 3, START + 121 * SECOND, "retry"),
        ),
        ({"retry": Retry(3, delay=60, on=OSError)}, None),
        ({"retry": Retry(3, delay=60, not_on=NodeLostError)}, None),
    ],
)
def test_what_takes_the_place_of_a_lost_run(options, queued):
    assert after_loss(JobOptions(**options), KEY, 0, START + SECOND) == queued


def test_the_jitter_after_a_loss_is_that_of_the_lost_run():
    retry = Retry(3, delay=0, jitter=1000)
    queued = after_loss(JobOptions(retry=retry), KEY, 0, START)
    assert queued.available == retry_time(retry, 2, NodeLostError, START, KEY.id)


def test_pauses_between_reruns_grow_and_are_bounded():
    pauses = [rerun_pause(number).total_seconds() for number in range(8)]
    assert pauses == [0, 2, 8, 32, 128, 300, 300, 300]
    assert rerun_pause(10**6) == rerun_pause(7)


@pytest.mark.parametrize(
    ("most", "made", "queued"),
    [
        (3, 0, QueuedRun("a", START, 3, START, "rerun", 1)),
        (3, 1, QueuedRun("a", START, 3, START + 2 * SECOND, "rerun", 2)),
        (3, 2, QueuedRun("a", START, 3, START + 8 * SECOND, "rerun", 3)),
        (3, 3, None),
        (3, 4, None),
        (0, 0, None),
        (1, 0, QueuedRun("a", START, 3, START, "rerun", 1)),
        (1, 1, None),
    ],
)
@pytest.mark.parametrize("retry", [None, Retry(9)])
def test_a_run_that_takes_its_nodes_down_is_given_up(most, made, queued, retry):
    options = JobOptions(on_lost="rerun", reruns=most, retry=retry)
    assert after_loss(options, KEY, made, START) == queued


@pytest.mark.parametrize("made", [0, 3, 9])
def test_what_was_not_begun_has_taken_nothing_down(made):
    again = after_loss(JobOptions(on_lost="rerun"), KEY, made, START, was_begun=False)
    assert again == QueuedRun("a", START, 3, START, "rerun", made)


def test_reruns_are_no_attempts_of_a_retry():
    options = JobOptions(retry=Retry(3, delay=60))
    key = RunKey("a", START, 4)
    assert after_loss(options, key, 2, START) == QueuedRun("a", START, 5, START + 120 * SECOND, "retry", 2)
    assert after_loss(options, key, 1, START) is None
