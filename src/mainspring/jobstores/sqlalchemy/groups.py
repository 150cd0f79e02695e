"""The table of groups: what jobs are limited to together, and when their runs have begun."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from mainspring.engine.grouping import GroupBudget, without
from mainspring.model import Group

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.runs import RunTable
    from mainspring.jobstores.sqlalchemy.tables import Tables


class GroupTable:
    """The groups of one store."""

    def __init__(self, tables: Tables, runs: RunTable) -> None:
        self._groups = tables.groups
        self._runs = runs

    def budget(self, connection: Connection, names: Collection[str], now: datetime) -> GroupBudget:
        """What these groups have room for; they are locked until the transaction ends, so that nobody else takes that meanwhile."""
        groups = self._groups
        rows = (
            connection.execute(
                select(groups).where(groups.c.name.in_(names)).order_by(groups.c.name).with_for_update()
            ).all()
            if names
            else []
        )
        limits = {row.name: _group_of(row) for row in rows}
        running = self._runs.running_of_groups(connection, list(limits)) if limits else {}
        begun = {
            row.name: [datetime.fromtimestamp(stamp, UTC) for stamp in json.loads(row.begun or "[]")]
            for row in rows
        }
        return GroupBudget(limits, running, begun, now)

    def write(self, connection: Connection, budget: GroupBudget) -> None:
        """Write when runs of groups with a rate have begun."""
        for name, begun in budget.begun().items():
            text = json.dumps([moment.timestamp() for moment in begun])
            connection.execute(update(self._groups).where(self._groups.c.name == name).values(begun=text))

    def take_back(self, connection: Connection, name: str, claimed: datetime, runs: int) -> None:
        """So many runs that were claimed at a time have not begun after all."""
        groups = self._groups
        found = connection.execute(
            select(groups.c.begun).where(groups.c.name == name).with_for_update()
        ).scalar_one_or_none()
        if found:
            begun = [datetime.fromtimestamp(stamp, UTC) for stamp in json.loads(found)]
            text = json.dumps([moment.timestamp() for moment in without(begun, claimed, runs)])
            connection.execute(update(groups).where(groups.c.name == name).values(begun=text))

    def set(self, connection: Connection, group: Group) -> None:
        """Give a group its limits."""
        groups = self._groups
        values = {
            "concurrency": group.limit,
            "rate": group.rate,
            "per": group.per // timedelta(milliseconds=1),
        }
        changed = connection.execute(update(groups).where(groups.c.name == group.name).values(values))
        if (
            not changed.rowcount
            and not connection.execute(select(groups.c.name).where(groups.c.name == group.name)).first()
        ):
            connection.execute(insert(groups).values(name=group.name, **values))

    def remove(self, connection: Connection, name: str) -> bool:
        """Take a group's limits from it; whether it had some."""
        return connection.execute(delete(self._groups).where(self._groups.c.name == name)).rowcount > 0

    def list(self, connection: Connection) -> list[Group]:
        """The groups that have limits."""
        rows = connection.execute(select(self._groups).order_by(self._groups.c.name)).all()
        return [_group_of(row) for row in rows]


def _group_of(row: Any) -> Group:
    return Group(row.name, row.concurrency, row.rate, timedelta(milliseconds=row.per))
