"""The runs of jobs: who runs what, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, literal, or_, select, true, tuple_, update

from mainspring.engine.attempts import in_line
from mainspring.engine.reasons import JOB_REMOVED
from mainspring.jobstores.shared.rollups import PrunedRun
from mainspring.jobstores.shared.rows import ENDING
from mainspring.jobstores.shared.runs import (
    LostRun,
    NewRun,
    outcome_of_lost,
    read_due_times,
    run_record,
    written_due_times,
)
from mainspring.jobstores.sqlalchemy.rollups import roll_up
from mainspring.jobstores.sqlalchemy.tables import is_trouble
from mainspring.model import BACKFILLED, TROUBLE, QueuedRun, RunKey, RunRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Select, Table
    from sqlalchemy.engine import Connection

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.shared.runs import Ended, TakenRun
    from mainspring.jobstores.sqlalchemy.statements import Statements
    from mainspring.jobstores.sqlalchemy.tables import Tables
    from mainspring.model import Outcome


#: What `RunRecord` is made of, in its order.
_SHOWN = (
    "job_id",
    "scheduled",
    "attempt",
    "node",
    "token",
    "claimed",
    "started",
    "finished",
    "outcome",
    "error",
    "result",
    "cause",
    "available",
    "traceback",
    "log",
    "progress",
    "reruns",
    "due_times",
)
_CHUNK = 500
_DELETED_AT_ONCE = 50
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _record_of(row: Any) -> RunRecord:
    return run_record(dict(zip(_SHOWN, row, strict=True)))


class RunTable:
    """Statements on the table of runs, made once."""

    def __init__(self, tables: Tables, statements: Statements) -> None:
        runs = tables.runs
        self._tables = tables
        self._runs = runs
        self._jobs = tables.jobs
        self._keys = [runs.c.job_id, runs.c.scheduled, runs.c.attempt]
        self._shown = [runs.c[name] for name in _SHOWN]
        self._statements = statements
        self._goes_on = runs.c.outcome.is_(None)
        self._is_waiting = and_(self._goes_on, runs.c.token.is_(None))

    def _is_orphan(self, alive: Sequence[int]) -> ColumnElement[bool]:
        """In the hands of nobody who is alive."""
        return and_(self._goes_on, self._runs.c.token.is_not(None), self._runs.c.token.not_in(alive))

    def _is_run(self, job_id: str, scheduled: datetime, attempt: int) -> ColumnElement[bool]:
        runs = self._runs
        return and_(runs.c.job_id == job_id, runs.c.scheduled == scheduled, runs.c.attempt == attempt)

    def _is_submitted(self, decision: Decision, token: int) -> ColumnElement[bool]:
        """Claimed for a decision, and without an outcome."""
        runs = self._runs
        times: dict[int, list[datetime]] = {}
        for time in decision.submit:
            times.setdefault(decision.attempt_of(time), []).append(time)
        return and_(
            runs.c.job_id == decision.job.id,
            or_(*(and_(runs.c.scheduled.in_(each), runs.c.attempt == at) for at, each in times.items())),
            runs.c.token == token,
            self._goes_on,
        )

    def insert(
        self,
        connection: Connection,
        new: Sequence[NewRun],
        node: str | None,
        token: int | None,
        claimed: datetime | None,
    ) -> None:
        """Enter runs."""
        if new:
            self._statements.insert(connection, new, node, token, claimed)

    def finish(self, connection: Connection, ended: Sequence[Ended]) -> list[Ended]:
        """Write outcomes; those that were refused, because the runs were others' by then."""
        if not ended:
            return []
        written = self._statements.finish(
            connection,
            [one.written() for one in ended],
        )
        return [] if written == len(ended) else self._refused(connection, ended)

    def _refused(self, connection: Connection, ended: Sequence[Ended]) -> list[Ended]:
        runs = self._runs
        refused = []
        for one in ended:
            key = self._is_run(one.job.id, one.result.scheduled_run_time, one.attempt)
            found = connection.execute(select(runs.c.outcome, runs.c.token).where(key)).one_or_none()
            # Written before, by a transaction whose end wasn't seen, or pruned already: nobody took the run over.
            is_taken = found is not None and (found.token != one.token or found.outcome == "lost")
            # This node may itself have said that a run is lost, just now; what follows from that is queued once, whoever says it.
            if is_taken and one.result.outcome != "lost":
                refused.append(one)
        return refused

    def latest_attempts(
        self, connection: Connection, times: Mapping[str, Sequence[datetime]]
    ) -> dict[str, dict[datetime, int]]:
        """By job, the latest attempt at each of these times, in UTC; times without are left out."""
        runs = self._runs
        found = connection.execute(
            select(runs.c.job_id, runs.c.scheduled, func.max(runs.c.attempt))
            .where(
                runs.c.job_id.in_(list(times)),
                runs.c.scheduled.in_({time for each in times.values() for time in each}),
            )
            .group_by(runs.c.job_id, runs.c.scheduled)
        )
        latest: dict[str, dict[datetime, int]] = {}
        for job_id, scheduled, attempt in found:
            latest.setdefault(job_id, {})[scheduled] = attempt
        return latest

    def is_claimed(
        self, connection: Connection, job_id: str, scheduled: datetime, attempt: int, token: int
    ) -> bool:
        """Whether the run is in the hands of this token."""
        found = connection.execute(
            select(self._runs.c.token).where(self._is_run(job_id, scheduled, attempt))
        ).scalar_one_or_none()
        return found == token

    def goes_on_here(
        self, connection: Connection, job_id: str, scheduled: datetime, attempt: int, token: int
    ) -> bool:
        """Whether the run is in the hands of this token, and has no outcome: others may have recorded it as lost."""
        which = and_(self._is_run(job_id, scheduled, attempt), self._goes_on, self._runs.c.token == token)
        return self._is_any(connection, which)

    def take_back(self, connection: Connection, decision: Decision, token: int) -> None:
        """The runs of a decision were not begun after all."""
        connection.execute(delete(self._runs).where(self._is_submitted(decision, token)))

    def release(
        self, connection: Connection, decision: Decision, token: int, available: datetime | None = None
    ) -> None:
        """Runs were not begun after all: they wait to be claimed by any node, from a time on."""
        connection.execute(
            update(self._runs)
            .where(self._is_submitted(decision, token))
            .values(node=None, token=None, claimed=None, group_name=None, available=available, instances=1)
        )

    def has_orphans(self, connection: Connection, alive: Sequence[int]) -> bool:
        """Whether there are runs in the hands of nobody who is alive."""
        return self._is_any(connection, self._is_orphan(alive))

    def drop_ended_jobs(self, connection: Connection, jobs: Table, job_ids: Sequence[str]) -> None:
        """Remove jobs that stayed only until their last run had ended, if it has."""
        runs = self._runs
        goes_on = (
            select(runs.c.job_id)
            .where(runs.c.job_id == jobs.c.id, self._goes_on, runs.c.job_removed.is_(None))
            .exists()
        )
        connection.execute(delete(jobs).where(jobs.c.id.in_(job_ids), jobs.c.state == ENDING, ~goes_on))

    def lose(
        self,
        connection: Connection,
        alive: Callable[[], Collection[int]],
        own: Callable[[], Collection[tuple[str, datetime, int]]],
        now: datetime,
    ) -> list[LostRun]:
        """Runs in the hands of nobody who is alive are lost; returns them.

        Args:
            alive: the tokens of those who are, at present.
            own: the keys of runs that go on in this process, which are not lost.
        """
        runs = self._runs
        found = connection.execute(
            select(
                *self._keys, runs.c.node, runs.c.reruns, runs.c.job_removed, runs.c.token, runs.c.due_times
            )
            .where(self._is_orphan(list(alive())))
            .with_for_update()
        ).all()
        if not found:
            return []
        # Some may be those of a node that came when it had been asked who lives; whoever has claimed one of these is there by now.
        living = set(alive())
        ours = own()
        lost = [row for row in found if row.token not in living and tuple(row[:3]) not in ours]
        self._statements.finish(
            connection, [outcome_of_lost(RunKey(*row[:3]), row.token, now) for row in lost]
        )
        return [
            LostRun(*row[:4], row.reruns or 0, bool(row.job_removed), read_due_times(row.due_times))
            for row in lost
        ]

    def next_available(self, connection: Connection, without: Collection[str] = ()) -> datetime | None:
        """When the first of the queued runs is available, of jobs that are not among those `without`.

        Long ago, if it is at once; ``None``: none is queued.
        """
        runs = self._runs
        others = (runs.c.job_id.not_in(list(without)),) if without else ()
        found = connection.execute(
            select(runs.c.available)
            .where(self._is_waiting, *others)
            .order_by(runs.c.available.is_not(None), runs.c.available)
            .limit(1)
        ).first()
        return None if found is None else found[0] or _LONG_AGO

    def _is_any(self, connection: Connection, condition: ColumnElement[bool]) -> bool:
        return connection.execute(select(self._runs.c.job_id).where(condition).limit(1)).first() is not None

    def available(
        self, connection: Connection, now: datetime, limit: int, without: Collection[str]
    ) -> Sequence[QueuedRun]:
        """Queued runs that are available, of jobs that are not among those `without`; locked where rows can be.

        If there are more than `limit`, those that are the first of their jobs, then the second, and so on.
        """
        runs = self._runs
        is_open = and_(
            self._is_waiting,
            or_(runs.c.available.is_(None), runs.c.available <= now),
            *((runs.c.job_id.not_in(list(without)),) if without else ()),
        )
        columns = [*self._keys, runs.c.available, runs.c.cause, runs.c.reruns, runs.c.due_times]
        order = [runs.c.available.is_not(None), runs.c.available, runs.c.scheduled, runs.c.attempt]
        first = [self._priority().desc()] if self._statements.has_priorities else []
        in_order = select(*columns).where(is_open).order_by(*first, *order).limit(limit)
        found = connection.execute(in_order.with_for_update(skip_locked=True)).all()
        if len(found) == limit:
            # No row of what a window is drawn over can be locked with it: they are looked at, and then locked.
            rank = func.row_number().over(partition_by=runs.c.job_id, order_by=order)
            urgency = self._priority().label("urgency") if first else literal(0).label("urgency")
            ranked = select(*columns, urgency, rank.label("rank")).where(is_open).subquery()
            by_turn = [ranked.c.urgency.desc(), ranked.c.rank]
            by_turn += [ranked.c.available.is_not(None), ranked.c.available, ranked.c.scheduled]
            keys = connection.execute(
                select(*(ranked.c[key.name] for key in self._keys)).order_by(*by_turn).limit(limit)
            ).all()
            again = select(*columns).where(
                self._is_waiting, tuple_(*self._keys).in_([tuple(key) for key in keys])
            )
            found = connection.execute(again.with_for_update(skip_locked=True)).all()
        return [
            QueuedRun(
                row[0],
                row[1],
                row[2],
                row[3] or now,
                row[4] or "schedule",
                row[5] or 0,
                read_due_times(row[6]),
            )
            for row in found
        ]

    def _priority(self) -> ColumnElement[Any]:
        """The priority of a run's job."""
        jobs = self._jobs
        priority = select(jobs.c.priority).where(jobs.c.id == self._runs.c.job_id).scalar_subquery()
        return func.coalesce(priority, 0)

    def queued_of(
        self, connection: Connection, job_ids: Sequence[str], cause: str | None = None
    ) -> dict[str, int]:
        """How many runs of each of these jobs are queued, all or those of a cause; jobs without are left out."""
        runs = self._runs
        query = select(runs.c.job_id, func.count()).where(self._is_waiting, runs.c.job_id.in_(job_ids))
        if cause is not None:
            query = query.where(runs.c.cause == cause)
        return {row[0]: row[1] for row in connection.execute(query.group_by(runs.c.job_id))}

    def enqueue(self, connection: Connection, new: Sequence[QueuedRun]) -> Sequence[QueuedRun]:
        """Queue those runs that aren't known, and return them."""
        runs = self._runs
        known: set[tuple[str, datetime, int]] = set()
        for at in range(0, len(new), _CHUNK):
            times = {run.scheduled_run_time for run in new[at : at + _CHUNK]}
            ids = {run.job_id for run in new[at : at + _CHUNK]}
            found = connection.execute(
                select(*self._keys).where(runs.c.job_id.in_(ids), runs.c.scheduled.in_(times))
            )
            known.update((row[0], row[1], row[2]) for row in found)
        # Two of them may be the same: a job comes after each attempt at a due time, and two may have ended together.
        unknown: list[QueuedRun] = []
        for run in new:
            if run.key not in known:
                known.add(run.key)
                unknown.append(run)
        self.queue(connection, unknown)
        return unknown

    def queue(self, connection: Connection, new: Sequence[QueuedRun]) -> None:
        """Queue runs that are new.

        Raises:
            sqlalchemy.exc.IntegrityError: one of them is known.
        """
        if new:
            connection.execute(
                insert(self._runs),
                [
                    {
                        "job_id": run.job_id,
                        "scheduled": run.scheduled_run_time,
                        "attempt": run.attempt,
                        "instances": 1,
                        "available": run.available,
                        "cause": run.cause,
                        "reruns": run.reruns or None,
                        "due_times": written_due_times(run.due_times),
                    }
                    for run in new
                ],
            )

    def disown(self, connection: Connection, job_ids: Sequence[str] | None, now: datetime) -> None:
        """Jobs were removed, or all were: what is queued of them ends, and nothing follows from what goes on.

        In this order, after the jobs are locked: what follows from a run is queued with its outcome, which waits for this, or is waited for.
        """
        runs = self._runs
        chunks = (
            [None]
            if job_ids is None
            else [job_ids[at : at + _CHUNK] for at in range(0, len(job_ids), _CHUNK)]
        )
        for chunk in chunks:
            of_jobs = true() if chunk is None else runs.c.job_id.in_(chunk)
            connection.execute(
                update(runs).where(of_jobs, self._goes_on, runs.c.token.is_not(None)).values(job_removed=1)
            )
            connection.execute(
                update(runs)
                .where(of_jobs, self._is_waiting)
                .values(finished=now, outcome="skipped", error=JOB_REMOVED)
            )

    def disowned(
        self, connection: Connection, keys: Sequence[tuple[str, datetime, int]]
    ) -> set[tuple[str, datetime, int]]:
        """Those of the runs with these keys whose job was removed while they went on."""
        runs = self._runs
        found: set[tuple[str, datetime, int]] = set()
        for at in range(0, len(keys), _CHUNK):
            rows = connection.execute(
                select(*self._keys).where(
                    runs.c.job_removed == 1, tuple_(*self._keys).in_(keys[at : at + _CHUNK])
                )
            )
            found.update((row[0], row[1], row[2]) for row in rows)
        return found

    def is_disowned(self, connection: Connection, decision: Decision, token: int) -> bool:
        """Whether the job of runs that were claimed for a decision was removed since."""
        return self._is_any(
            connection, and_(self._is_submitted(decision, token), self._runs.c.job_removed == 1)
        )

    def skip(self, connection: Connection, decision: Decision, token: int, now: datetime) -> None:
        """Runs were not begun, and their job was removed: they are not run."""
        connection.execute(
            update(self._runs)
            .where(self._is_submitted(decision, token))
            .values(finished=now, outcome="skipped", error=JOB_REMOVED)
        )

    def enter_skipped(self, connection: Connection, new: Sequence[QueuedRun], now: datetime) -> None:
        """Enter runs that follow from others whose job was removed: they are not run."""
        rows = [
            {
                "job_id": run.job_id,
                "scheduled": run.scheduled_run_time,
                "attempt": run.attempt,
                "instances": 0,
                "cause": run.cause,
                "due_times": written_due_times(run.due_times),
                "finished": now,
                "outcome": "skipped",
                "error": JOB_REMOVED,
            }
            for run in new
        ]
        if rows:
            connection.execute(insert(self._runs), rows)

    def next_in_line(self, connection: Connection, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        """Runs that follow from others, as the attempts that come next at their due times."""
        times: dict[str, list[datetime]] = {}
        for run in runs:
            times.setdefault(run.job_id, []).append(run.key.scheduled_run_time)
        latest = self.latest_attempts(connection, times) if runs else {}
        return in_line(runs, latest)

    def take(
        self, connection: Connection, taken: Sequence[TakenRun], node: str, token: int, now: datetime
    ) -> None:
        """Claim runs that were queued."""
        if taken:
            self._statements.take(connection, taken, node, token, now)

    def running_of_groups(self, connection: Connection, names: Sequence[str]) -> dict[str, int]:
        """How many instances of jobs of these groups go on, on all nodes."""
        runs = self._runs
        found = connection.execute(
            select(runs.c.group_name, func.sum(runs.c.instances))
            .where(self._goes_on, runs.c.token.is_not(None), runs.c.group_name.in_(names))
            .group_by(runs.c.group_name)
        )
        return {row[0]: int(row[1]) for row in found}

    def end_queued(
        self, connection: Connection, key: RunKey, now: datetime, outcome: Outcome, error: str
    ) -> bool:
        """A queued run will not be run; whether it was queued."""
        ended = connection.execute(
            update(self._runs)
            .where(self._is_run(*key), self._is_waiting)
            .values(finished=now, outcome=outcome, error=error)
        )
        return ended.rowcount == 1

    def ask_to_cancel(self, connection: Connection, job_id: str, key: RunKey | None = None) -> bool:
        """Have the nodes that run a job, or one run of it, cancel that; whether any does."""
        runs = self._runs
        which = runs.c.job_id == job_id if key is None else self._is_run(*key)
        asked = connection.execute(
            update(runs).where(which, self._goes_on, runs.c.token.is_not(None)).values(to_cancel=1)
        )
        return asked.rowcount > 0

    def to_cancel(self, connection: Connection, token: int) -> Sequence[RunKey]:
        """The runs of a node that it is to cancel."""
        runs = self._runs
        found = connection.execute(
            select(*self._keys).where(self._goes_on, runs.c.token == token, runs.c.to_cancel == 1)
        )
        return [RunKey(*row) for row in found]

    def report_progress(self, connection: Connection, said: Mapping[tuple[RunKey, int], str]) -> None:
        """Write how far runs are."""
        for (key, token), text in said.items():
            connection.execute(
                update(self._runs)
                .where(self._is_run(*key), self._runs.c.token == token)
                .values(progress=text)
            )

    def unended(self, connection: Connection, tokens: Mapping[RunKey, int]) -> set[Any]:
        """The keys of those of these runs that have no outcome, and are in the hands of the token that is given for each."""
        found = connection.execute(
            select(*self._keys, self._runs.c.token).where(
                self._goes_on, tuple_(*self._keys).in_(sorted(tokens))
            )
        )
        return {tuple(key) for *key, token in found if tokens[RunKey(*key)] == token}

    def get(self, connection: Connection, key: RunKey) -> RunRecord | None:
        """One run."""
        row = connection.execute(select(*self._shown).where(self._is_run(*key))).one_or_none()
        return None if row is None else _record_of(row)

    def list(
        self,
        connection: Connection,
        job_id: str | None,
        outcome: str | None,
        since: datetime | None,
        limit: int,
    ) -> list[RunRecord]:
        """Runs, latest scheduled time first."""
        runs = self._runs
        query = select(*self._shown).order_by(runs.c.scheduled.desc(), runs.c.job_id, runs.c.attempt.desc())
        if job_id is not None:
            query = query.where(runs.c.job_id == job_id)
        if outcome is not None:
            if outcome == "running":
                query = query.where(self._goes_on, runs.c.token.is_not(None))
            else:
                query = query.where(self._is_waiting if outcome == "queued" else self._has_outcome(outcome))
        if since is not None:
            query = query.where(runs.c.scheduled >= since)
        return [_record_of(row) for row in connection.execute(query.limit(limit))]

    def _has_outcome(self, outcome: str) -> ColumnElement[bool]:
        if outcome not in TROUBLE:
            return self._runs.c.outcome == outcome
        # As a literal: an index of some rows is used only where it can be seen that it has all that are asked for.
        return and_(self._runs.c.outcome == literal(outcome, literal_execute=True), is_trouble(self._runs))

    def prune_old(self, connection: Connection, before: datetime, batch: int, now: datetime) -> int:
        """Remove up to `batch` runs that were due and ended before a time; how many."""
        found = connection.execute(select(*self._keys).where(self._is_old(before)).limit(batch)).all()
        return self._forget(connection, found, now)

    def _is_old(self, before: datetime) -> ColumnElement[bool]:
        runs = self._runs
        ended = func.coalesce(runs.c.finished, runs.c.scheduled)  # a backfill runs now what was due long ago
        return and_(runs.c.outcome.is_not(None), runs.c.scheduled < before, ended < before)

    def prunable(self, connection: Connection, job_ids: Sequence[str], keep: int, before: datetime) -> int:
        """How many runs of these jobs are more than `keep`, and aren't as old as those that `prune_old` removes."""
        many = self._beyond(job_ids, keep, ~self._is_old(before))
        return connection.execute(select(func.count()).select_from(many.subquery())).scalar_one()

    def count_old(self, connection: Connection, before: datetime) -> int:
        """How many runs `prune_old` would remove in all."""
        counted = select(func.count()).select_from(self._runs).where(self._is_old(before))
        return connection.execute(counted).scalar_one()

    def prune_many(
        self, connection: Connection, job_ids: Sequence[str], keep: int, batch: int, now: datetime
    ) -> int:
        """Of each of these jobs remove what ended but the latest `keep` runs, up to `batch` in all; how many.

        Those of backfills stay, and don't count: by them a backfill that is asked for again knows what it has done.
        """
        found = connection.execute(self._beyond(job_ids, keep).limit(batch)).all()
        return self._forget(connection, found, now)

    def _beyond(self, job_ids: Sequence[str], keep: int, *further: ColumnElement[bool]) -> Select[Any]:
        """The keys of what ended of each job but for its latest runs."""
        runs = self._runs
        latest_first = [runs.c.scheduled.desc(), runs.c.attempt.desc()]
        place = func.row_number().over(partition_by=runs.c.job_id, order_by=latest_first).label("place")
        numbered = (
            select(*self._keys, place)
            .where(
                runs.c.job_id.in_(job_ids),
                runs.c.outcome.is_not(None),
                func.coalesce(runs.c.cause, "schedule").not_in(BACKFILLED),
                *further,
            )
            .subquery()
        )
        return select(numbered.c.job_id, numbered.c.scheduled, numbered.c.attempt).where(
            numbered.c.place > keep
        )

    def _forget(self, connection: Connection, found: Sequence[Any], now: datetime) -> int:
        """Remove runs, and count them, but for those that another node has removed meanwhile; how many were found."""
        runs = self._runs
        counted: list[PrunedRun] = []
        columns = [runs.c[name] for name in PrunedRun._fields]
        for first in range(0, len(found), _DELETED_AT_ONCE):
            keys = [tuple(row) for row in found[first : first + _DELETED_AT_ONCE]]
            # Always as many: each other number would be another statement, which drivers prepare and keep.
            keys += keys[-1:] * (_DELETED_AT_ONCE - len(keys))
            these = tuple_(*self._keys).in_(keys)
            rows = connection.execute(select(*columns).where(these).with_for_update())
            counted += [PrunedRun(*row) for row in rows]
            connection.execute(delete(runs).where(these))
        roll_up(connection, self._tables, counted, now)
        return len(found)
