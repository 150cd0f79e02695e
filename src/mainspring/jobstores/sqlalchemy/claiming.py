"""Taking due jobs: one transaction in which the engine decides, next run times are moved, and runs are recorded."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from mainspring.clock import slices_of
from mainspring.engine.attempts import next_attempts
from mainspring.jobstores.shared.asked_triggers import (
    asked,
    is_imported,
    runs_foreign_code,
    with_own_trigger,
)
from mainspring.jobstores.shared.claims import (
    Claim,
    ClaimRaceError,
    Decided,
    QueueClaim,
    buffered_runs,
    decide_in_turn,
    decision_of,
    groups_of,
    move_of,
    restored_job,
)
from mainspring.jobstores.shared.rows import COLUMNS, ENDING, SCHEDULED, Unreadable, written_counters
from mainspring.jobstores.shared.runs import TakenRun, claimed_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from mainspring.engine.decision import Decision
    from mainspring.engine.grouping import GroupBudget
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.shared.claims import ClaimRequest
    from mainspring.jobstores.shared.runs import JobUpdate, NewRun
    from mainspring.jobstores.sqlalchemy.context import Context
    from mainspring.jobstores.sqlalchemy.runs import RunTable
    from mainspring.model import JobRecord, QueuedRun, Submission


_FUNC, _TRIGGER = COLUMNS.index("func"), COLUMNS.index("trigger")


def _runs_foreign_code(row: Any) -> bool:
    """Whether deciding about a job may run code that isn't ours: its module, which is not imported yet, or its trigger."""
    return not is_imported(row[_FUNC]) or runs_foreign_code(row[_TRIGGER])


class Asked(NamedTuple):
    """A due job whose trigger runs foreign code.

    Attributes:
        row: as it was read.
        record: the job.
        answered: the same, with a trigger that has been asked.
    """

    row: Any
    record: JobRecord | Unreadable
    answered: JobRecord | Unreadable


#: How often a claim looks for queued runs behind those that it can't take.
_ROUNDS = 5


class Claiming:
    """What a claim asks and does in the database."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._jobs = context.tables.jobs
        self._runs = context.runs
        self._columns = context.columns
        self._groups = context.groups

    def claim(
        self, connection: Connection, request: ClaimRequest, *, may_repeat: bool
    ) -> tuple[QueueClaim, Claim]:
        """Take due jobs and queued runs, each in its turn, in the transaction of `connection`.

        Args:
            may_repeat: whether to look if jobs have been run at their due times before, and count these runs as further
                attempts: a job can be moved back, or removed and added again. That is rare, so it is looked for only when
                it has been met.

        Raises:
            sqlalchemy.exc.IntegrityError: it was met, and not looked for.
        """
        statements = self._context.statements
        now, limit = request.now, request.limit
        queue = QueueClaim([], {})
        # First those that are waited for, in their order; then what others leave.
        runs = self._runs.available(connection, now, limit, ()) if request.looks_into_queue else ()
        jobs = self._jobs_of(connection, runs)
        rows = statements.due(connection, now, request.executors, request.set_aside, limit)
        claim = Claim([], {}, [], None)
        foreign = [row for row in rows if _runs_foreign_code(row)]
        if foreign:
            claim = claim._replace(postponed=foreign)
            later = {row[0] for row in foreign}
            rest = [row for row in rows if row[0] not in later]
        else:
            rest = list(rows)
        if rest or runs:
            records = self._context.jobs_of(rest)
            self._decide(
                connection,
                request,
                claim,
                rest,
                records,
                may_repeat=may_repeat,
                queue=queue,
                runs=runs,
                jobs=jobs,
            )
        if queue.blocked and len(runs) == limit:
            self._claim_behind(connection, request, queue)
        if len(rows) == limit:
            return queue, claim._replace(next_time=now)  # there is most likely more
        set_aside = {*request.set_aside, *claim.ids_left(), *(row[0] for row in claim.postponed)}
        next_time = statements.next_time(connection, now, request.executors, set_aside)
        return queue, claim._replace(next_time=next_time)

    def _decide(
        self,
        connection: Connection,
        request: ClaimRequest,
        claim: Claim,
        rows: Sequence[Any],
        records: Sequence[JobRecord | Unreadable],
        *,
        may_repeat: bool,
        own: Mapping[str, JobRecord] = MappingProxyType({}),
        queue: QueueClaim | None = None,
        runs: Sequence[QueuedRun] = (),
        jobs: Mapping[str, JobRecord | Unreadable] = MappingProxyType({}),
    ) -> None:
        """Decide about locked rows, and queued runs, add that to `claim` and `queue`, and make it true.

        Args:
            own: jobs as they are, by id, where `records` has them with triggers that were asked before.
        """
        # Of those too that were never claimed: they may have been asked for, or another may have had the id before.
        ids = [row[0] for row in rows]
        if jobs:
            ids = sorted({*ids, *jobs})
        running = self._context.statements.running(connection, ids) if ids else {}
        budget = self._budget(connection, [*records, *jobs.values()], request.now)
        buffered = partial(self._buffered, connection)
        blocked = {} if queue is None else queue.blocked
        decided = decide_in_turn(
            claim, records, runs, jobs, running, request, budget, blocked, buffered, self._context.timezone
        )
        if queue is not None and runs:
            self._make_queued_true(connection, decided, queue, request)
        for decision in (*claim.decisions, *claim.parked) if own else ():
            if decision.job.id in own:
                with_own_trigger(decision, own[decision.job.id])
        if budget is not None:
            self._groups.write(connection, budget)
        if may_repeat:
            self._count_attempts(connection, claim.decisions)
        self._make_true(connection, claim.decisions, request)

    def ask(self, rows: Sequence[Any], request: ClaimRequest) -> list[Asked]:
        """Ask the triggers of jobs what a claim needs to know; while nobody waits for it."""
        now = request.now.astimezone(self._context.timezone)
        slices = slices_of(self._context.clock)
        found = []
        for row in rows:
            record = self._context.job_of(row)
            known = record if isinstance(record, Unreadable) else asked(record, now, slices)
            found.append(Asked(row, record, known))
        return found

    def claim_asked(
        self, connection: Connection, request: ClaimRequest, known: Sequence[Asked], *, may_repeat: bool
    ) -> Claim:
        """Take due jobs whose triggers have been asked, if they are still as they were read."""
        claim = Claim([], {}, [], None)
        again = self._context.statements.locked(connection, [one.row[0] for one in known])
        rows = {row[0]: tuple(row) for row in again}
        same = [one for one in known if rows.get(one.row[0]) == tuple(one.row)]
        if same:
            own = {one.row[0]: one.record for one in same if not isinstance(one.record, Unreadable)}
            self._decide(
                connection,
                request,
                claim,
                [one.row for one in same],
                [one.answered for one in same],
                may_repeat=may_repeat,
                own=own,
            )
        if len(same) < len(known):
            claim = claim._replace(next_time=request.now)  # others have them, or have changed them
        return claim

    def _buffered(self, connection: Connection, job_id: str) -> int:
        return self._runs.queued_of(connection, [job_id], "buffered").get(job_id, 0)

    def _claim_behind(self, connection: Connection, request: ClaimRequest, queue: QueueClaim) -> None:
        """Take queued runs that stand behind others that can't be taken."""
        for _ in range(_ROUNDS):
            before = len(queue.blocked)
            limit = request.limit - len(queue.decisions)
            runs = self._runs.available(connection, request.now, limit, queue.blocked) if limit > 0 else ()
            if runs:
                claim = Claim([], {}, [], None)
                jobs = self._jobs_of(connection, runs)
                part = request._replace(limit=limit)
                self._decide(
                    connection, part, claim, [], [], may_repeat=False, queue=queue, runs=runs, jobs=jobs
                )
            if len(queue.blocked) == before or len(runs) < limit:
                break  # those that are blocked have kept no others from being found

    def _make_queued_true(
        self, connection: Connection, decided: Decided, queue: QueueClaim, request: ClaimRequest
    ) -> None:
        now = request.now
        not_run = decided.not_run(now)
        for run, outcome, told in not_run:
            self._runs.end_queued(connection, run.key, now, outcome, told)
        if not_run:
            ids = sorted({run.job_id for run, *_ in not_run})
            self._runs.drop_ended_jobs(connection, self._jobs, ids)
        taken = [
            TakenRun(*cast("QueuedRun", decision.run).key, decision.job.options.group)
            for decision in decided.begun
        ]
        self._runs.take(connection, taken, self._context.node_name, request.token, now)
        queue.decisions.extend((*decided.begun, *decided.missed))

    def _budget(
        self, connection: Connection, records: Iterable[JobRecord | Unreadable], now: datetime
    ) -> GroupBudget | None:
        """What the groups of these jobs have room for, locked; ``None`` if they are in none."""
        names = groups_of(records)
        return self._groups.budget(connection, names, now) if names else None

    def _jobs_of(
        self, connection: Connection, runs: Sequence[QueuedRun]
    ) -> dict[str, JobRecord | Unreadable]:
        """The jobs of queued runs, locked, so that no other node counts their instances meanwhile."""
        if not runs:
            return {}
        jobs = self._jobs
        rows = connection.execute(
            select(*self._columns)
            .where(jobs.c.id.in_({run.job_id for run in runs}))
            .order_by(jobs.c.id)
            .with_for_update()
        )
        return {row[0]: self._context.job_of(row) for row in rows}

    def unclaimable(
        self, connection: Connection, before: datetime, decide: Decide, executors: Collection[str], limit: int
    ) -> list[Decision]:
        """What is to be said of jobs that were due before a time, and that nobody has run: they name other executors."""
        claim = Claim([], {}, [], None)
        for row in self._context.statements.unclaimable(connection, before, executors, limit):
            claim.add(self._context.job_of(row), decide, 0, partial(self._buffered, connection), None)
        return claim.parked

    def _count_attempts(self, connection: Connection, decisions: Sequence[Decision]) -> None:
        times = {decision.job.id: decision.run_times() for decision in decisions}
        latest = self._runs.latest_attempts(connection, times)
        for decision in decisions:
            job_id = decision.job.id
            decision.attempts = next_attempts(times[job_id], latest.get(job_id, {}))

    def _goes_on(self, connection: Connection, job_id: str) -> bool:
        return job_id in self._context.statements.running(connection, [job_id])

    def _make_true(
        self, connection: Connection, decisions: Sequence[Decision], request: ClaimRequest
    ) -> None:
        now = request.now
        moves: list[JobUpdate] = []
        ended: list[str] = []
        runs: list[NewRun] = []
        buffered: list[QueuedRun] = []
        queued = _Queued(connection, self._runs)
        for decision in decisions:
            job, following = decision.job, decision.following
            runs += claimed_runs(decision, now)
            buffered += buffered_runs(decision, now)
            if decision.cancels:
                self._runs.ask_to_cancel(connection, job.id)
            move = move_of(decision, queued.has, partial(self._goes_on, connection))
            if move is None:
                ended.append(job.id)
                continue
            moves.append(move)
            if following is not None and following.counters is not job.counters:
                self._remember(connection, following)
        if moves and self._context.statements.move(connection, moves, now) != len(moves):
            raise ClaimRaceError("a job that was to be moved on was changed meanwhile")
        if ended and self._context.statements.remove(connection, ended) != len(ended):
            raise ClaimRaceError("a job that had ended was removed meanwhile")
        self._runs.insert(connection, runs, self._context.node_name, request.token, now)
        self._runs.queue(connection, buffered)

    def _remember(self, connection: Connection, job: JobRecord) -> None:
        jobs = self._jobs
        connection.execute(
            update(jobs).where(jobs.c.id == job.id).values(tally=written_counters(job.counters))
        )

    def give_back(
        self,
        connection: Connection,
        decision: Decision,
        token: int,
        insert: Callable[[Connection, JobRecord], object],
        available: datetime | None = None,
    ) -> bool:
        """Undo what was claimed for a decision; whether the job was still as the claim left it.

        Args:
            available: when it may be claimed again, if it was queued.
        """
        jobs, job, following = self._jobs, decision.job, decision.following
        if self._runs.is_disowned(connection, decision, token):
            return False
        if decision.requeues:
            self._uncount(connection, decision)
            self._runs.release(connection, decision, token, available)
            return True
        before = restored_job(decision)
        as_left = [jobs.c.id == job.id, jobs.c.version == before.version - 1]
        if following is None:
            as_left.append(jobs.c.state == ENDING)  # or another job has got its id since
        restored = connection.execute(
            update(jobs)
            .where(*as_left)
            .values(
                next_run_time=before.next_run_time,
                state=SCHEDULED,
                version=before.version,
                tally=written_counters(before.counters),
            )
        ).rowcount
        if not restored and following is None and not job.options.outlasts_schedule:
            insert(connection, before)
            restored = 1
        if restored:
            self._uncount(connection, decision)
            self._runs.take_back(connection, decision, token)
        return bool(restored)

    def _uncount(self, connection: Connection, decision: Decision) -> None:
        """Have the group of a job forget that runs of it were begun."""
        group = decision.job.options.group
        if group is not None and decision.claimed is not None:
            self._groups.take_back(connection, group, decision.claimed, len(decision.submit))

    def release(
        self,
        connection: Connection,
        submission: Submission,
        insert: Callable[[Connection, JobRecord], object],
    ) -> None:
        """Undo the claim of a submission that was not begun; what can't be undone waits to be run by any node.

        May be done again after a commit whose end wasn't seen.
        """
        token = 0 if submission.lease is None else submission.lease.token
        decision = decision_of(submission, self._context.now())
        job_id, first = submission.job.id, submission.run_times[0]
        if not self._runs.goes_on_here(connection, job_id, first, decision.attempt, token):
            return  # it was done, or others have recorded it as lost
        is_anothers = False
        try:
            with connection.begin_nested():
                is_undone = self.give_back(connection, decision, token, insert)
        except IntegrityError:  # its schedule had ended, and another job of this id was added meanwhile
            is_undone, is_anothers = False, True
        if not is_undone:
            self._uncount(connection, decision)
            if is_anothers or self._runs.is_disowned(connection, decision, token):
                self._runs.skip(connection, decision, token, self._context.now())
            else:
                self._runs.release(connection, decision, token)


class _Queued:
    """Which jobs have queued runs, as far as it is asked: mostly there are none at all, which is asked once."""

    def __init__(self, connection: Connection, runs: RunTable) -> None:
        self._connection = connection
        self._runs = runs
        self._is_any: bool | None = None

    def has(self, job_id: str) -> bool:
        """Whether runs of a job are queued."""
        if self._is_any is None:
            self._is_any = self._runs.next_available(self._connection) is not None
        return self._is_any and bool(self._runs.queued_of(self._connection, [job_id]))
