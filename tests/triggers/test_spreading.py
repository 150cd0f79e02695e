"""Jobs that are spread: each at a place of its own, always the same."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from mainspring import CronTrigger, IntervalTrigger, OrTrigger
from mainspring.errors import TriggerError
from mainspring.testing import ManualScheduler
from mainspring.triggers.plain import trigger_from_dict
from mainspring.triggers.spreading import place_of
from mainspring.triggers.steps import Found, Steps, Unknown

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 28, tzinfo=BERLIN)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def work():
    pass


def nightly(job_id, **options):
    return (
        CronTrigger(hour=3, timezone=BERLIN, **options)
        .spread("1h")
        .bind(timezone=UTC, now=NOW, job_id=job_id)
    )


def test_a_place_is_written_down():
    """Jobs keep their places from release to release."""
    assert [round(place_of(one), 6) for one in ("a", "backup", "import-1", "import-2", "")] == PLACES


PLACES = [0.253794, 0.743573, 0.947983, 0.566017, 0.893168]


@pytest.mark.parametrize("form", ["import-{}", "{}", "{}-eu", "v2 of {}", "tenant/{:04}/sync"])
@pytest.mark.parametrize("first", [0, 1, 995])
def test_numbered_jobs_lie_evenly(form, first):
    """However many there are: the gaps between them are about as wide as if they had been measured out."""
    for count in (*range(2, 40), 100, 1000):
        places = sorted(place_of(form.format(number)) for number in range(first, first + count))
        gaps = [later - earlier for earlier, later in pairwise([*places, places[0] + 1])]
        assert max(gaps) * count < 2
        assert min(gaps) * count > 0.4


def test_other_jobs_lie_as_chance_has_it():
    names = [f"{one}{two}{three}" for one in "abcdefghij" for two in "klmnopqrst" for three in "uvwxyz+-*/"]
    tenths = [0] * 10
    for name in names:
        tenths[int(place_of(name) * 10)] += 1
    assert all(60 < count < 140 for count in tenths)


def test_every_fire_time_of_a_job_is_later_by_the_same():
    for job_id in ("a", "b", "c-1", "c-2"):
        trigger = nightly(job_id)
        times = trigger.upcoming(NOW, 5)
        delays = {
            at.astimezone(UTC) - base.astimezone(UTC)
            for at, base in zip(times, CronTrigger(hour=3, timezone=BERLIN).upcoming(NOW, 5), strict=True)
        }
        assert delays == {trigger.delay}
        assert timedelta(0) <= trigger.delay < HOUR


def test_a_job_that_is_added_between_a_fire_time_and_its_place_still_runs():
    trigger = nightly("a")
    base = datetime(2026, 3, 28, 3, tzinfo=BERLIN)
    assert trigger.get_next_fire_time(None, base + trigger.delay / 2) == base + trigger.delay
    assert trigger.get_next_fire_time(None, base + trigger.delay) == base + trigger.delay
    assert trigger.get_next_fire_time(None, base + trigger.delay + TICK) > base + 20 * HOUR


def test_next_and_previous_are_inverse():
    trigger = nightly("a")
    times = trigger.upcoming(NOW, 30)
    assert [trigger.previous(later) for later in times[1:]] == times[:-1]
    first, last = times[0].astimezone(UTC), times[-1].astimezone(UTC)
    assert trigger.count_between(first - TICK, last) == 30
    assert trigger.count_between(first, last - TICK) == 28


def test_a_search_goes_on_where_it_was():
    trigger = (
        OrTrigger([CronTrigger(hour=3, timezone=BERLIN)])
        .within("08:00-09:00")
        .spread("1h")
        .bind(timezone=UTC, now=NOW, job_id="a")
    )
    answer = trigger.search(None, NOW, Steps(50))
    assert isinstance(answer, Unknown)
    assert answer.since > NOW + timedelta(days=20)
    answer = trigger.search_before(NOW, Steps(50))
    assert isinstance(answer, Unknown)
    assert NOW - timedelta(days=60) < answer.since < NOW - timedelta(days=20)
    excluded = CronTrigger(hour=3, timezone=BERLIN).excluding(("2026-01-01", "2027-12-31")).spread("1h")
    found = excluded.bind(timezone=UTC, now=NOW, job_id="a").search(None, NOW, Steps(50))
    assert isinstance(found, Found)


@pytest.mark.parametrize(
    ("over", "span"),
    [
        ("1h", HOUR),
        (" 1H30M ", 1.5 * HOUR),
        ("90m", 1.5 * HOUR),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        (3600, HOUR),
        (0.5, timedelta(milliseconds=500)),
        (HOUR, HOUR),
    ],
)
def test_spans(over, span):
    assert CronTrigger(hour=3).spread(over).over == span


@pytest.mark.parametrize(
    "over",
    ["", "1", "1x", "h", "-1h", "1h 30m x", 0, -1, None, True, float("nan"), float("inf"), "0s", HOUR * 0],
    ids=repr,
)
def test_what_is_no_span_is_refused(over):
    with pytest.raises(TriggerError, match="spread_over: expected a span"):
        CronTrigger(hour=3).spread(over)


@pytest.mark.parametrize("is_bound", [False, True])
def test_it_is_the_same_as_data(is_bound):
    trigger = IntervalTrigger(minutes=7).spread("1h30m")
    if is_bound:
        trigger = trigger.bind(timezone=BERLIN, now=NOW, job_id="a")
    for again in (
        trigger_from_dict(json.loads(json.dumps(trigger.to_dict()))),
        pickle.loads(pickle.dumps(trigger)),
    ):
        assert again == trigger
        assert again.is_same_schedule(trigger)
        assert not again.is_same_schedule(IntervalTrigger(minutes=7).spread("1h"))
        assert again.upcoming(NOW, 5) == trigger.upcoming(NOW, 5)


def test_jobs_are_spread_by_add_job_and_keep_their_places():
    scheduler = ManualScheduler(start=NOW, timezone=BERLIN)
    scheduler.start()

    def added(number, **options):
        return scheduler.add_job(
            work, "cron", hour=3, window="02:00-03:00", spread_over="1h", id=f"import-{number}", **options
        )

    times = {number: added(number, group="imports").next_run_time for number in range(12)}
    ordered = sorted(times.values())
    assert ordered[0] >= datetime(2026, 3, 28, 3, tzinfo=BERLIN)
    assert ordered[-1] < datetime(2026, 3, 28, 4, tzinfo=BERLIN)
    assert all(later - earlier < timedelta(minutes=10) for earlier, later in pairwise(ordered))
    assert {number: added(number, replace_existing=True).next_run_time for number in range(12)} == times
    scheduler.shutdown()
