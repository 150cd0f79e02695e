"""What is said of runs that were not run."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mainspring.engine import reasons
from mainspring.engine.decision import Decision
from mainspring.engine.reasons import (
    BACKLOG_DROPPED,
    REASONS,
    ReasonCode,
    known_reason,
    lateness,
    overlap,
)
from mainspring.testing.conformance import START, record

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("zone", [UTC, BERLIN])
@pytest.mark.parametrize("other", [UTC, BERLIN])
def test_lateness_is_the_same_in_every_zone_and_over_a_clock_change(zone, other):
    due = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert lateness(due.astimezone(zone), (due + timedelta(hours=1)).astimezone(other)) == "1:00:00 late"


def test_each_time_that_is_not_run_is_told_with_its_reason():
    decision = Decision(record("a", max_instances=3))
    assert decision.not_run(START) == []
    times = [START + timedelta(minutes=minute) for minute in range(5)]
    now = times[4]
    decision.submit, decision.missed, decision.overlapping, decision.dropped = (
        [now],
        [times[1]],
        [times[2]],
        times[0],
    )
    decision.buffered, decision.dropped_due_times = [times[3]], 7
    assert decision.not_run(now) == [
        (times[1], "missed", "0:03:00 late", 1),
        (times[2], "skipped", overlap(3), 1),
        (times[0], "missed", BACKLOG_DROPPED, 7),
    ]
    told = [time for time, *_ in decision.not_run(now)]
    assert decision.run_times() == [now, *told, times[3]]  # stores count on this order


NUMBERS = some.integers(0, 10**9)
SPANS = some.timedeltas()
#: What the functions that write words say, with what varies in them.
WRITTEN = {
    ReasonCode.TOO_LATE: some.builds(
        lambda span: (
            lateness(datetime(5000, 1, 1, tzinfo=UTC), datetime(5000, 1, 1, tzinfo=UTC) + span),
            str(span),
        ),
        some.timedeltas(timedelta(days=-1_000_000), timedelta(days=1_000_000)),
    ),
    ReasonCode.OVERLAPPING: NUMBERS.map(lambda number: (overlap(number), str(number))),
    ReasonCode.EXECUTOR_FULL: some.text().map(lambda alias: (reasons.executor_full(alias), repr(alias))),
    ReasonCode.MAX_RUNS: (NUMBERS | some.none()).map(lambda number: (reasons.had_all(number), str(number))),
    ReasonCode.FAILURES: NUMBERS.map(lambda number: (reasons.failed_in_a_row(number), str(number))),
    ReasonCode.NO_EXECUTOR: some.text().map(lambda alias: (reasons.no_executor(alias), repr(alias))),
    ReasonCode.NO_FUNCTION: (some.text() | some.none()).map(
        lambda reference: (reasons.no_function(reference), repr(reference))
    ),
    ReasonCode.EXECUTOR_REFUSED: some.text().map(lambda alias: (reasons.refused_by(alias), repr(alias))),
}


@pytest.mark.parametrize("code", WRITTEN)
@given(data=some.data())
def test_words_are_read_back_as_the_reason_that_wrote_them(code, data):
    words, varies = data.draw(WRITTEN[code])
    states = {state for reason in REASONS if reason.code == code for state in reason.states}
    for state in states:
        found = known_reason(state, words)
        assert (found.code, list(found.details.values())) == (code, [varies])
        matching = [
            reason
            for reason in REASONS
            if state in reason.states and reasons._pattern(reason.words).fullmatch(words)
        ]
        assert len(matching) == 1, "the words of one reason are no other's"


@pytest.mark.parametrize("reason", [reason for reason in REASONS if "{" not in reason.words])
def test_words_in_which_nothing_varies_are_read_back(reason):
    for state in reason.states:
        assert known_reason(state, reason.words) == (reason.code, {})


def test_a_job_that_is_paused_for_stuck_runs_says_so():
    found = known_reason("paused", reasons.stuck_runs(5, "host-1"))
    assert found == (ReasonCode.STUCK_RUNS, {"runs": "5", "process": "host-1"})


@pytest.mark.parametrize(
    ("state", "words", "code"),
    [
        ("failed", "its job was removed", ReasonCode.FAILED),  # its function's words, whatever they are
        ("failed", "0:05:00 late", ReasonCode.FAILED),
        ("timed_out", "TimeoutError: it took longer than 0:00:01", ReasonCode.TIMED_OUT),
        ("cancelled", "ValueError: told to end", ReasonCode.CANCELLED),
        ("missed", "its job was removed", None),
        ("skipped", "many instances were running", None),
        ("skipped", None, None),
        ("paused", "it has had its runs", None),
        ("paused", "paused after 3 failed runs in a row, and then by me", None),
        ("succeeded", None, None),
        ("lost", "\nthe node that ran it was not heard of any more", None),
    ],
)
def test_words_of_others_are_no_reasons_of_ours(state, words, code):
    found = known_reason(state, words)
    assert (None if found is None else found.code) == code
