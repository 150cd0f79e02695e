"""The table of what became of runs that are pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, insert, select, tuple_, update

from mainspring.jobstores.shared.rollups import (
    GONE_WITHIN,
    NUMBERS,
    PrunedRun,
    RollUp,
    RollUps,
    added,
    read_numbers,
    rolled_up,
)
from mainspring.jobstores.shared.rows import ENDING
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from mainspring.jobstores.shared.rollups import Span
    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.tables import Tables

_AT_ONCE = 100
_KEY = ("job_id", "span", "start")


def roll_up(connection: Connection, tables: Tables, runs: Sequence[PrunedRun], now: datetime) -> None:
    """Count runs of jobs that are there, in the transaction in which they are removed.

    Raises:
        sqlalchemy.exc.IntegrityError: another node was the first to count something of the same hour or day.
    """
    jobs = tables.jobs.c
    ids = sorted({run.job_id for run in runs})
    there: set[str] = set()
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        there.update(connection.scalars(select(jobs.id).where(jobs.id.in_(some), jobs.state != ENDING)))
    new = rolled_up((run for run in runs if run.job_id in there), now)
    for at in range(0, len(new), _AT_ONCE):
        _add(connection, tables, new[at : at + _AT_ONCE])


def _add(connection: Connection, tables: Tables, new: Sequence[RollUp]) -> None:
    rollups = tables.rollups
    key = [rollups.c[name] for name in _KEY]
    rows = connection.execute(
        select(*key, *(rollups.c[name] for name in NUMBERS))
        .where(tuple_(*key).in_([one.key for one in new]))
        .order_by(*key)
        .with_for_update()
    ).mappings()
    known = {tuple(row[name] for name in _KEY): read_numbers(dict(row)) for row in rows}
    nothing = dict.fromkeys(NUMBERS)
    inserted = [
        {**nothing, **one.numbers, **dict(zip(_KEY, one.key, strict=True))}
        for one in new
        if one.key not in known
    ]
    changed = [
        {
            **nothing,
            **added(known[one.key], one.numbers),
            **{f"of_{name}": value for name, value in zip(_KEY, one.key, strict=True)},
        }
        for one in new
        if one.key in known
    ]
    if inserted:
        connection.execute(insert(rollups), inserted)
    if changed:
        which = and_(*(rollups.c[name] == bindparam(f"of_{name}") for name in _KEY))
        values: dict[str, Any] = {name: bindparam(name) for name in NUMBERS}
        connection.execute(update(rollups).where(which).values(values), changed)


class RollUpTable(RollUps):
    """See `RollUps`."""

    def __init__(self, database: Database, tables: Tables) -> None:
        self._database = database
        self._rollups = tables.rollups
        self._jobs = tables.jobs

    def entries(self, job_id: str | None, span: Span, since: datetime) -> list[RollUp]:
        """See `RollUps.entries`."""
        rollups = self._rollups
        statement = (
            select(rollups)
            .where(rollups.c.span == span, rollups.c.start >= since)
            .order_by(rollups.c.start, rollups.c.job_id)
        )
        if job_id is not None:
            statement = statement.where(rollups.c.job_id == job_id)

        def look() -> list[RollUp]:
            with self._database.reading() as connection:
                rows = connection.execute(statement).mappings()
                return [
                    RollUp(row["job_id"], row["span"], row["start"], read_numbers(dict(row))) for row in rows
                ]

        return self._database.run(look)

    def prune(self, before: Mapping[Span, datetime], gone_before: datetime) -> None:
        """See `RollUps.prune`."""
        rollups = self._rollups
        for span, time in before.items():
            self._remove(and_(rollups.c.span == span, rollups.c.start < time))
        gone = self._gone(gone_before)
        for at in range(0, len(gone), _AT_ONCE):
            self._remove(and_(rollups.c.job_id.in_(gone[at : at + _AT_ONCE]), rollups.c.start < gone_before))

    def _gone(self, before: datetime) -> list[str]:
        """Jobs that had runs shortly before a time, and aren't there any more."""
        rollups, jobs = self._rollups.c, self._jobs.c
        statement = (
            select(rollups.job_id)
            .where(rollups.span == "day", rollups.start >= shifted(before, -GONE_WITHIN))
            .where(rollups.start < before, ~exists().where(jobs.id == rollups.job_id, jobs.state != ENDING))
            .distinct()
        )
        with self._database.reading() as connection:
            return list(connection.scalars(statement))

    def _remove(self, which: ColumnElement[bool]) -> None:
        with self._database.reading() as connection:  # most times there is nothing to be removed
            found = connection.execute(select(self._rollups.c.span).where(which).limit(1)).first()
        if found is not None:
            with self._database.writing() as connection:
                connection.execute(delete(self._rollups).where(which))
