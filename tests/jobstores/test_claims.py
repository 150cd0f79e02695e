"""What a shared store makes of the engine's decisions, and of runs on their way in and out; without a database."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest

from mainspring import Retry
from mainspring.engine.decision import Decision, decide, decide_queued
from mainspring.engine.grouping import GroupBudget
from mainspring.errors import SerializationError
from mainspring.jobstores.shared.claims import (
    Claim,
    Claimed,
    ClaimRequest,
    QueueClaim,
    _is_held_back,
    buffered_runs,
    decide_in_turn,
    decision_of,
    groups_of,
    joined,
    move_of,
    restored_job,
)
from mainspring.jobstores.shared.rows import ENDING, PAUSED, SCHEDULED, Unreadable
from mainspring.jobstores.shared.runs import (
    Counted,
    Ended,
    Finished,
    JobUpdate,
    LostRun,
    NewRun,
    claimed_runs,
    counted_of,
    ended_of,
    outcome_of_lost,
    queued_record,
    retries_of,
    run_record,
)
from mainspring.model import Group, JobCounters, QueuedRun, RunKey, RunRecord, RunResult, Submission
from mainspring.testing.conformance import SECOND, START, deciding, record

NOW = START + 100 * SECOND
BERLIN = ZoneInfo("Europe/Berlin")


def at(*seconds):
    return [START + number * SECOND for number in seconds]


def unreadable(job_id="a"):
    return Unreadable(record(job_id), "its row can't be read", ValueError("no"))


def decision(job=None, *, attempt=1, **parts):
    made = Decision(record("a") if job is None else job)
    for name, value in parts.items():
        setattr(made, name, value)
    made.attempts = dict.fromkeys(made.run_times(), attempt)
    return made


# Due jobs


def claim_of(*jobs, running=0, buffered=0, budget=None, asked=None):
    claim = Claim([], {}, [], None)

    def buffered_of(job_id):
        if asked is not None:
            asked.append(job_id)
        return buffered

    for job in jobs:
        claim.add(job, deciding(START), running, buffered_of, budget)
    return claim


def test_what_is_due_is_claimed_waits_or_is_parked():
    claim = claim_of(record("a"), unreadable("b"))
    assert [one.job.id for one in claim.decisions] == ["a"]
    (parked,) = claim.parked
    assert (parked.job.id, parked.reason, str(parked.error)) == ("b", "its row can't be read", "no")
    assert claim.waiting == {}
    assert claim.ids_left() == {"b"}


def test_what_waits_is_due_still_and_not_tried_again_at_once():
    budget = GroupBudget({"g": Group("g", rate=1)}, {}, {"g": [START - 10 * SECOND]}, START)
    claim = claim_of(record("a"), running=1)
    assert claim.waiting == {"a": None}
    claim = claim_of(record("b", group="g"), budget=budget)
    assert claim.waiting == {"b": START + 50 * SECOND}
    assert claim.ids_left() == {"b"}
    assert claim.decisions == []


def test_what_one_job_takes_of_a_group_is_not_there_for_the_next():
    budget = GroupBudget({"g": Group("g", limit=2, rate=5)}, {}, {}, START)
    jobs = [record(job_id, every=10, group="g") for job_id in "abc"]
    claim = claim_of(*jobs, budget=budget)
    assert [one.job.id for one in claim.decisions] == ["a", "b"]
    assert claim.waiting == {"c": None}
    assert budget.begun() == {"g": [START, START]}


def test_what_is_not_run_takes_no_place_in_a_group():
    budget = GroupBudget({"g": Group("g", limit=1)}, {}, {}, START)
    claim_of(record("a", every=10, group="g"), running=1, budget=budget)
    assert budget.capacity("g").instances == 1


@pytest.mark.parametrize(
    ("running", "overlap", "asks"),
    [(0, "buffer_one", False), (1, "skip", False), (1, "buffer_one", True), (2, "allow", True)],
)
def test_how_many_are_buffered_is_asked_only_where_it_matters(running, overlap, asks):
    asked = []
    claim_of(record("a", every=10, overlap=overlap), running=running, asked=asked)
    assert asked == (["a"] if asks else [])


@pytest.mark.parametrize(("buffered", "queued"), [(0, 1), (1, 0)])
def test_what_is_buffered_already_counts(buffered, queued):
    job = record("a", every=10, overlap="buffer_one")
    (one,) = claim_of(job, running=1, buffered=buffered).decisions
    assert len(one.buffered) == queued


def test_two_parts_of_a_claim_are_one():
    first = Claimed(
        QueueClaim([decision()], {}),
        Claim([decision()], {"a": None, "b": START}, [decision()], START + SECOND, ["rows"]),
        Finished(queued_from=NOW),
        NOW,
    )
    second = first._replace(
        claim=Claim([decision()], {"b": NOW, "c": None}, [decision()], START, ()),
        queue=QueueClaim([], {}),
        finished=Finished(),
        queued_from=START,
    )
    both = joined(first, second)
    assert both.claim.decisions == first.claim.decisions + second.claim.decisions
    assert both.claim.parked == first.claim.parked + second.claim.parked
    assert both.claim.waiting == {"a": None, "b": NOW, "c": None}
    assert both.claim.next_time == START
    assert both.claim.postponed == ()
    assert both.queued_from == START
    assert (both.queue, both.finished) == (first.queue, first.finished)


def test_two_parts_that_know_of_nothing_to_come_know_of_nothing():
    part = Claimed(QueueClaim([], {}), Claim([], {}, [], None), Finished(), None)
    assert joined(part, part).claim.next_time is None
    assert joined(part, part).queued_from is None
    later = part._replace(queued_from=NOW, claim=part.claim._replace(next_time=START))
    for both in (joined(part, later), joined(later, part)):
        assert (both.claim.next_time, both.queued_from) == (START, NOW)


def test_the_groups_of_jobs_are_named_once_and_in_order():
    jobs = [record("a", group="z"), record("b", group="x"), record("c", group="z"), record("d"), unreadable()]
    assert groups_of(jobs) == ["x", "z"]


# Queued runs


def queue_claim(runs, jobs, *, limit=10, running=None, budget=None, executors=("default",), blocked=None):
    running = {} if running is None else running
    blocked = {} if blocked is None else blocked
    claim = Claim([], {}, [], None)
    decided = decided_in_turn(claim, runs, jobs, running, executors, budget, blocked, limit=limit)
    assert claim._replace(parked=[]) == Claim([], {}, [], None)
    return [one.run.job_id for one in decided.begun], [run.job_id for run in decided.orphans], blocked


def decided_in_turn(claim, runs, jobs, running, executors, budget, blocked, *, limit=10, set_aside=()):
    def decide_here(job, instances, run=None, **options):
        if run is None or job.options.executor in executors:
            return deciding(NOW)(job, instances, run, **options)
        return decide_queued(job, run, instances, executor_known=False)

    request = ClaimRequest(NOW, decide_here, limit, executors, set_aside, 7, (), NOW)
    return decide_in_turn(claim, (), runs, jobs, running, request, budget, blocked, lambda _: 0, BERLIN)


def obstacles(*runs, set_aside=()):
    """The jobs that are said to be in the way of queued runs, and why."""
    jobs = {
        **jobs_of(
            record("a"), record("b", executor="pool"), record("c")._replace(func=None, func_ref="gone:f")
        ),
        "d": unreadable("d"),
        "e": Unreadable(record("e"), "it is not signed", SerializationError("no")),
    }
    claim, blocked = Claim([], {}, [], None), {}
    decided_in_turn(claim, runs, jobs, {}, ("default",), None, blocked, set_aside=set_aside)
    return {one.job.id: one.reason for one in claim.parked}, blocked, claim


def test_it_is_said_once_of_each_job_why_its_queued_runs_wait():
    runs = [queued(job_id, after) for job_id in "abcdeabcde" for after in (0, 1)]
    told, blocked, claim = obstacles(*runs)
    assert told == {
        "b": "no executor 'pool' here",
        "c": "no function 'gone:f' here",
        "d": "its row can't be read",
        "e": "it is not signed",
    }
    assert blocked == dict.fromkeys("abcde")  # of "a" one run is begun, and the others wait for it
    assert len(claim.parked) == len(told)
    assert {one.run.job_id for one in claim.parked} == set(told)


def test_what_waits_to_be_tried_again_is_not_told_again():
    told, blocked, _ = obstacles(queued("b"), queued("c"), queued("e"), set_aside=["b", "e"])
    assert list(told) == ["c"]
    assert blocked == dict.fromkeys("bce")


def test_what_another_node_may_run_is_left_to_it_for_a_moment():
    just_now, a_moment_ago = (queued_since(seconds) for seconds in (98.5, 97.5))
    assert obstacles(*map(just_now, "bcd"))[:2] == ({}, dict.fromkeys("bcd"))
    assert list(obstacles(*map(a_moment_ago, "bcd"))[0]) == ["b", "c", "d"]
    assert list(obstacles(just_now("e"))[0]) == ["e"]  # whoever reads it finds it as it is


def queued_since(after):
    return lambda job_id: QueuedRun(job_id, START, 2, START + after * SECOND, "retry")


def queued(job_id, after=0, attempt=2):
    return QueuedRun(job_id, START + after * SECOND, attempt, START, "retry")


def jobs_of(*records):
    return {job.id: job for job in records}


def test_queued_runs_are_claimed_by_their_priority_and_no_more_than_are_asked_for():
    jobs = jobs_of(record("a"), record("b", priority=5), record("c", priority=-1))
    runs = [queued("c"), queued("a"), queued("b"), queued("gone"), queued("b", 1)]
    running = {}
    assert queue_claim(runs, jobs, running=running) == (["b", "a", "c"], ["gone"], {"b": None})
    assert running == {"a": 1, "b": 1, "c": 1}
    assert queue_claim(runs, jobs, limit=2) == (["b", "a"], [], {"b": None})
    assert queue_claim(runs, jobs, limit=0) == ([], [], {})


def test_what_is_blocked_keeps_nobody_else_back():
    jobs = {**jobs_of(record("a"), record("b", executor="pool"), record("c")), "d": unreadable("d")}
    runs = [queued("a"), queued("a", 1), queued("b"), queued("d"), queued("c")]
    found = queue_claim(runs, jobs, running={"a": 1})
    assert found == (["c"], [], {"a": None, "b": None, "d": None})
    assert queue_claim(runs, jobs, blocked={"a": NOW, "c": None}) == (
        [],
        [],
        {"a": NOW, "c": None, "b": None, "d": None},
    )


def test_instances_that_go_on_count():
    jobs = jobs_of(record("a", max_instances=2))
    runs = [queued("a", number) for number in range(3)]
    assert queue_claim(runs, jobs)[0] == ["a", "a"]
    assert queue_claim(runs, jobs, running={"a": 1})[0] == ["a"]


def test_queued_runs_take_room_of_their_groups():
    jobs = jobs_of(record("a", group="g"), record("b", group="g"), record("c"))
    budget = GroupBudget({"g": Group("g", rate=1)}, {}, {}, NOW)
    runs = [queued("a"), queued("b"), queued("c")]
    # When it has room again, by time alone, is known.
    assert queue_claim(runs, jobs, budget=budget) == (["a", "c"], [], {"b": NOW + 60 * SECOND})
    assert budget.begun() == {"g": [NOW]}


def test_a_queued_run_is_due_in_the_zone_of_its_job():
    def submitted(job):
        request = ClaimRequest(NOW, deciding(NOW), 10, ("default",), (), 7, (), NOW)
        claim = Claim([], {}, [], None)
        decided = decide_in_turn(
            claim, (), [queued("a")], {"a": job}, {}, request, None, {}, lambda _: 0, BERLIN
        )
        return decided.begun[0].submit

    tokyo = record("a")._replace(next_run_time=NOW.astimezone(ZoneInfo("Asia/Tokyo")))
    assert submitted(tokyo)[0].tzinfo.key == "Asia/Tokyo"
    assert submitted(record("a", paused=True))[0].tzinfo is BERLIN
    assert submitted(tokyo) == submitted(record("a")) == [START]


def together(due, runs, **options):
    """What is done about due jobs and queued runs, as texts in their order."""
    request = ClaimRequest(NOW, deciding(NOW), options.pop("limit", 10), ("default",), (), 7, (), NOW)
    claim = Claim([], {}, [], None)
    jobs = {job.id: job for job in due} | {job.id: job for job in options.pop("others", ())}
    budget, buffered = options.pop("budget", None), sum(run.cause == "buffered" for run in runs)
    decided = decide_in_turn(
        claim, due, runs, jobs, {}, request, budget, {}, lambda _: buffered, BERLIN, **options
    )
    begun = Claimed(QueueClaim(decided.begun, {}), claim, Finished(), None).in_turn()
    return [f"{one.job.id} {one.cause}" for one in begun if one.submit], claim


def waiting(job_id, after):
    """A retry that may begin so many seconds after the start."""
    return QueuedRun(job_id, START, 2, START + after * SECOND, "retry")


def test_of_one_job_what_was_due_first_is_begun_and_the_other_is_not():
    due = [record("a", 5, every=1000)]
    assert together(due, [waiting("a", 6)])[0] == ["a schedule"]
    begun, claim = together(due, [waiting("a", 4)])
    assert begun == ["a retry"]
    assert [one.overlapping for one in claim.decisions] == [[START + 5 * SECOND]]
    assert together([record("a", 5, every=1000, max_instances=2)], [waiting("a", 4)])[0] == [
        "a retry",
        "a schedule",
    ]


@pytest.mark.parametrize(
    ("runs", "waits"),
    [
        ([], False),  # it is begun
        ([0], True),  # in the place of the one that is begun
        ([0, 1], False),  # where another waits still
    ],
)
def test_what_overlaps_waits_where_the_one_that_waited_is_begun(runs, waits):
    due = [record("a", 5, every=1000, overlap="buffer_one")]
    buffered = [waiting("a", after)._replace(cause="buffered", attempt=1 + after) for after in runs]
    begun, claim = together(due, buffered)
    assert begun == (["a buffered"] if runs else ["a schedule"])
    (one,) = claim.decisions
    assert list(one.buffered) == ([START + 5 * SECOND] if waits else [])
    assert list(one.overlapping) == ([START + 5 * SECOND] if runs and not waits else [])


def test_of_a_group_what_was_due_first_is_begun():
    due, others = [record("a", 5, every=1000, group="g")], [record("b", 900, group="g")]
    for after, begun in ((6, ["a schedule"]), (4, ["b retry"])):
        budget = GroupBudget({"g": Group("g", limit=1)}, {}, {}, NOW)
        assert together(due, [waiting("b", after)], others=others, budget=budget)[0] == begun


def test_no_more_are_begun_than_are_asked_for():
    due = [record(name, after, every=1000) for name, after in (("a", 1), ("b", 3))]
    runs = [waiting("c", 2), waiting("c", 2)._replace(attempt=3), waiting("d", 4)]
    others = [record("c", 900, max_instances=9), record("d", 900)]
    found = [together(due, runs, others=others, limit=limit)[0] for limit in range(6)]
    order = ["a schedule", "c retry", "b schedule", "d retry", "c retry"]
    assert found == [order[:limit] for limit in range(6)]


def test_what_has_waited_for_too_long_is_missed():
    grace = timedelta(seconds=10)
    jobs = {"a": record("a", 900, misfire_grace_time=grace)}
    request = ClaimRequest(NOW, deciding(NOW), 10, ("default",), (), 7, (), NOW)
    for cause, late in (("retry", True), ("buffered", True), ("manual", False), ("backfill", False)):
        run = QueuedRun("a", NOW - 11 * SECOND, 1, NOW - 11 * SECOND, cause)
        claim = Claim([], {}, [], None)
        decided = decide_in_turn(claim, (), [run], jobs, {}, request, None, {}, lambda _: 0, BERLIN)
        assert (len(decided.missed), len(decided.begun)) == (late, not late)
        told = decided.not_run(NOW)
        assert told == ([(run, "missed", "0:00:11 late")] if late else [])


@pytest.mark.parametrize(
    ("queued_from", "looks"), [(None, False), (NOW, True), (START, True), (NOW + SECOND, False)]
)
def test_the_queue_is_looked_into_when_something_may_be_there(queued_from, looks):
    request = ClaimRequest(NOW, None, 1, (), (), 7, (), queued_from)
    assert request.looks_into_queue is looks


# Where jobs go


def has_none(job_id):
    return False


def has_some(job_id):
    return job_id == "a"


def not_asked(job_id):
    raise AssertionError("asked without need")


@pytest.mark.parametrize(
    ("made", "has_queued", "move"),
    [
        (
            decision(following=record("a", 10)),
            not_asked,
            JobUpdate("a", 0, START + 10 * SECOND, SCHEDULED),
        ),
        (decision(following=record("a", paused=True)), not_asked, JobUpdate("a", 0, None, PAUSED)),
        (decision(submit=at(0)), has_none, None),
        (decision(submit=at(0)), has_some, JobUpdate("a", 0, None, ENDING)),
        (decision(buffered=at(0)), not_asked, JobUpdate("a", 0, None, ENDING)),
        (decision(record("a", retry=Retry(3)), submit=at(0)), not_asked, JobUpdate("a", 0, None, ENDING)),
        (decision(record("a", on_lost="rerun"), submit=at(0)), not_asked, JobUpdate("a", 0, None, ENDING)),
        (decision(record("a", retry=Retry(3)), missed=at(0)), has_none, None),
        (
            decision(record("a")._replace(version=7), buffered=at(0)),
            has_none,
            JobUpdate("a", 7, None, ENDING),
        ),
    ],
)
def test_where_a_decision_has_its_job_go(made, has_queued, move):
    assert move_of(made, has_queued, has_none) == move


@pytest.mark.parametrize("options", [{"retry": Retry(3)}, {"on_lost": "rerun"}])
def test_a_job_stays_for_a_run_that_goes_on_and_may_be_run_again(options):
    stays = JobUpdate("a", 0, None, ENDING)
    assert move_of(decision(record("a", **options), missed=at(0)), has_none, has_some) == stays
    assert move_of(decision(record("a", **options), missed=at(0)), has_none, has_none) is None
    assert move_of(decision(missed=at(0)), has_none, not_asked) is None


def test_buffered_runs_wait_from_now_on():
    made = decision(buffered=at(0, 1), attempt=3)
    assert buffered_runs(made, NOW) == [QueuedRun("a", time, 3, NOW, "buffered") for time in at(0, 1)]


def test_a_claim_that_is_undone_leaves_its_job_as_it_was():
    job = record("a", every=10, max_runs=5)._replace(counters=JobCounters(2))
    made = decide(job, START, 0)
    assert made.following.counters.runs == 3
    back = restored_job(made)
    assert (back.next_run_time, back.counters) == (START, JobCounters(2))


def test_the_last_run_of_a_job_that_is_undone_brings_it_back():
    assert restored_job(decide(record("a"), START, 0)).next_run_time == START


@pytest.mark.parametrize(
    ("options", "waits"),
    [
        ({}, False),
        ({"cause": "retry", "attempt": 2}, True),
        ({"is_partial": True}, True),
        ({"following": "itself"}, True),
        ({"following": "another"}, False),
    ],
)
def test_a_submission_that_is_undone_is_the_decision_that_it_was_made_of(options, waits):
    job = record("a", every=10)
    following = {None: None, "itself": job, "another": job.rescheduled(NOW)}[options.pop("following", None)]
    submission = Submission(job, "default", at(0, 10), following=following, claimed=NOW, reruns=1, **options)
    made = decision_of(submission, NOW + SECOND)
    assert (made.job, made.submit, made.following, made.claimed) == (job, at(0, 10), following, NOW)
    assert (made.attempt, made.cause) == (submission.attempt, submission.cause)
    run = QueuedRun("a", START, submission.attempt, NOW + SECOND, submission.cause, 1)
    assert made.run == (run if waits else None)


# Runs that are written


def test_the_runs_that_a_decision_comes_to():
    job = record("a", max_instances=3, group="g")
    made = decision(job, submit=at(0, 1), missed=at(2), overlapping=at(3), dropped=START - SECOND, attempt=2)
    assert claimed_runs(made, NOW) == [
        # An instance is counted once for all that it runs: with the last of them.
        NewRun("a", START, 2, 0, group_name="g"),
        NewRun("a", START + SECOND, 2, 1, group_name="g"),
        NewRun("a", START + 2 * SECOND, 2, 0, NOW, "missed", "0:01:38 late"),
        NewRun("a", START + 3 * SECOND, 2, 0, NOW, "skipped", "3 instances were running"),
        NewRun(
            "a",
            START - SECOND,
            2,
            0,
            NOW,
            "missed",
            "overdue too often: this run and those after it, up to the next that is recorded, are dropped",
        ),
    ]


@pytest.mark.parametrize("part", ["missed", "overlapping", "dropped"])
def test_each_kind_of_what_is_not_run_is_recorded_by_itself(part):
    made = decision(**{part: START if part == "dropped" else at(0)})
    (run,) = claimed_runs(made, NOW)
    assert (run.scheduled, run.outcome) == (START, "skipped" if part == "overlapping" else "missed")


def test_the_due_times_of_a_decision():
    made = decision(submit=at(0), missed=at(1), overlapping=at(2), buffered=at(3))
    assert made.run_times() == at(0, 1, 2, 3)
    made.dropped = START - SECOND
    assert made.run_times() == [*at(0, 1, 2), START - SECOND, *at(3)]


class Lease:
    token = 7


def ended(outcome, job=None, attempt=1, reruns=0, cause="schedule", **values):
    result = RunResult(START, outcome, **{"finished": NOW, **values})
    return Ended(record("a") if job is None else job, attempt, 7, cause, result, reruns)


def test_an_outcome_as_it_is_written():
    one = ended(
        "failed", attempt=3, started=START, error="E", result="R", traceback="T", log="L", progress="[1]"
    )
    assert one.key == RunKey("a", START, 3)
    assert one.written() == ("a", START, 3, 7, START, NOW, "failed", "E", "R", "T", "L")


@pytest.mark.parametrize(
    ("options", "cause", "needed"),
    [
        ({}, "schedule", False),
        ({}, "retry", True),
        ({"retry": 3}, "schedule", True),
        ({"on_lost": "rerun"}, "schedule", True),
        ({"overlap": "allow"}, "schedule", False),
        ({"overlap": "buffer_one"}, "schedule", True),
    ],
)
def test_whose_job_may_have_stayed_when_its_schedule_had_ended(options, cause, needed):
    assert ended("succeeded", record("a", **options), cause=cause).may_be_needed is needed


def test_what_jobs_remember_is_told_for_those_that_do():
    job = record("b", pause_after_failures=3)
    told = counted_of([ended("failed"), ended("failed", job, 2, retry_at=NOW), ended("succeeded", job)])
    assert told == [
        Counted(RunKey("b", START, 2), 7, "failed", NOW),
        Counted(RunKey("b", START, 1), 7, "succeeded", None),
    ]


@pytest.mark.parametrize(
    ("one", "again"),
    [
        (ended("succeeded"), []),
        (ended("failed"), []),
        (
            ended("failed", attempt=2, reruns=1, retry_at=NOW + SECOND),
            [QueuedRun("a", START, 3, NOW + SECOND, "retry", 1)],
        ),
        (ended("lost"), []),
        (
            ended("lost", record("a", on_lost="rerun"), attempt=2, reruns=3),
            [QueuedRun("a", START, 3, NOW, "rerun", 3)],
        ),
        (
            ended("lost", record("a", on_lost="rerun"), attempt=2, reruns=0, started=START),
            [QueuedRun("a", START, 3, NOW, "rerun", 1)],  # it was begun, so that it counts
        ),
        (
            ended("lost", record("a", retry=Retry(9, delay=60)), retry_at=NOW + SECOND),
            [QueuedRun("a", START, 2, NOW + 60 * SECOND, "retry")],
        ),
    ],
)
def test_what_is_tried_again(one, again):
    assert retries_of([one]) == again
    assert retries_of([one, ended("succeeded"), one]) == again * 2


def test_what_was_run_is_told_by_the_lease_that_it_was_claimed_under():
    submission = Submission(record("a"), "default", at(0, 1), 4, Lease(), cause="retry", reruns=2)
    result = RunResult(START, "succeeded")
    submission.add_result(result)
    assert ended_of(submission, lambda: NOW, is_over=False) == [
        Ended(submission.job, 4, 7, "retry", result, 2)
    ]
    assert submission.results == []
    assert submission.recorded == 1
    assert ended_of(submission, lambda: NOW, is_over=False) == []
    (lost,) = ended_of(submission, lambda: NOW, is_over=True)
    assert (lost.key, lost.result.outcome, lost.reruns) == (RunKey("a", START + SECOND, 4), "lost", 2)
    assert submission.recorded == 2
    assert ended_of(submission, lambda: NOW, is_over=True) == []


@pytest.mark.parametrize(
    "names",
    [names for size in range(5) for names in combinations(("error", "result", "traceback", "log"), size)],
)
def test_whichever_of_its_texts_a_database_would_not_take_an_outcome_is_written_without_it(names):
    submission = Submission(record("a"), "default", at(0), lease=Lease())
    submission.add_result(RunResult(START, "failed", **dict.fromkeys(names, "a\0")))
    (one,) = ended_of(submission, lambda: NOW, is_over=True)
    assert one.result == RunResult(START, "failed", **dict.fromkeys(names, "a\N{REPLACEMENT CHARACTER}"))


def test_a_run_whose_node_is_silent():
    key = RunKey("a", START, 2)
    told = "the node that ran it was not heard of any more"
    assert outcome_of_lost(key, 7, NOW) == (*key, 7, None, NOW, "lost", told, None, None, None)
    assert LostRun("a", START, 2, "there").key == key


# Runs that are read


def test_a_run_is_read_as_any_store_has_it():
    values = {
        "job_id": "a",
        "scheduled": "2026-01-01 00:00:00.000000",
        "attempt": "2",
        "node": "there",
        "token": "7",
        "claimed": START.replace(tzinfo=None),
        "started": START.astimezone(BERLIN),
        "finished": "2026-01-01 00:01:40.000000",
        "outcome": "failed",
        "error": "E",
        "result": "R",
        "cause": "retry",
        "available": "2026-01-01T00:00:00+00:00",
        "traceback": "T",
        "log": "L",
        "progress": '[1, 2, "words"]',
        "reruns": "3",
    }
    run = run_record(values)
    assert run == RunRecord(
        "a",
        START,
        2,
        "there",
        7,
        START,
        START,
        NOW,
        "failed",
        "E",
        "R",
        "retry",
        START,
        "T",
        "L",
        (1, 2, "words"),
        3,
    )
    assert {time.utcoffset() for time in (run.scheduled_run_time, run.claimed, run.finished)} == {
        timedelta(0)
    }


def test_what_is_not_there_is_nothing():
    run = run_record({"job_id": "a", "scheduled": START, "attempt": 1})
    assert run == RunRecord("a", START, 1)
    assert (run.cause, run.reruns, run.token) == ("schedule", 0, None)


def test_a_run_without_a_due_time_is_none():
    with pytest.raises(SerializationError, match="a run of job 'a' without a due time"):
        run_record({"job_id": "a", "scheduled": None, "attempt": 1})


def test_a_queued_run_that_was_given_back_is_available_at_once():
    values = {"job_id": "a", "scheduled": START, "attempt": 2, "cause": "retry", "reruns": 1}
    assert queued_record(values, NOW) == QueuedRun("a", START, 2, NOW, "retry", 1)
    assert queued_record({**values, "available": START}, NOW).available == START
    assert queued_record(values, NOW).scheduled_run_time.tzinfo is UTC


@pytest.mark.parametrize(
    ("job", "cause", "grace", "held"),
    [
        (False, "manual", None, True),
        (True, "manual", None, True),
        (True, "parallel", None, False),
        (True, "schedule", SECOND, False),
        (True, "retry", SECOND, False),
    ],
)
def test_whether_a_run_waits_as_long_as_another_of_its_job(job, cause, grace, held):
    found = record("a", misfire_grace_time=grace) if job else None
    assert _is_held_back(QueuedRun("a", START, 1, START, cause), found) is held


@pytest.mark.parametrize(
    ("said", "kept"), [('[1,2,"x"]', '[1,2,"x"]'), ("no JSON", None), (3, None), ("x" * 5000, None)]
)
def test_how_far_a_run_was_is_kept_beside_a_text_that_no_database_takes(said, kept):
    submission = Submission(record("a"), "default", at(0), lease=Lease())
    submission.add_result(RunResult(START, "failed", error="a\0", progress=said))
    (one,) = ended_of(submission, lambda: NOW, is_over=True)
    assert one.result.progress == kept
