"""What each kind of job store can do, and can't. ``python -m mainspring.jobstores.abilities`` prints it; the docs have it from here."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a kind of store can do.

    Attributes:
        name: of the kind.
        survives_restart: whether jobs are there after the program has ended.
        is_shared: who may use it at the same time.
        history: which runs are recorded.
        clock: whose clock says what is due.
        claiming: how nodes take jobs side by side.
        seen_within: how long it may take until a node sees what another has changed.
        crash: what a crash of the machine can take back.
        lacks: what it can't do that others can.
    """

    name: str
    survives_restart: str
    is_shared: str
    history: str
    clock: str
    claiming: str
    seen_within: str
    crash: str
    lacks: str


HEADINGS = {
    "name": "",
    "survives_restart": "jobs survive a restart",
    "is_shared": "shared by",
    "history": "history of runs",
    "clock": "who judges what is due",
    "claiming": "how nodes take jobs side by side",
    "seen_within": "a change elsewhere is seen within",
    "crash": "what a crash of the machine can take back",
    "lacks": "what it can't do",
}

ABILITIES = {
    "memory": Abilities(
        "`memory` (the default)",
        survives_restart="no",
        is_shared="one process",
        history="the latest, while the process lives",
        clock="the machine's clock",
        claiming="there is one",
        seen_within="at once",
        crash="everything",
        lacks="whatever outlives the process",
    ),
    "sqlite": Abilities(
        "`sqlalchemy`: SQLite",
        survives_restart="yes",
        is_shared="the processes of one machine",
        history="yes",
        clock="the machine's clock",
        claiming="one at a time, in a transaction of milliseconds",
        seen_within="1 s",
        crash="nothing that was committed (`synchronous=FULL`)",
        lacks="several machines; telling nodes of changes",
    ),
    "postgresql": Abilities(
        "`sqlalchemy`: PostgreSQL",
        survives_restart="yes",
        is_shared="any number of machines",
        history="yes",
        clock="the database's clock",
        claiming="`FOR UPDATE SKIP LOCKED`",
        seen_within="50 ms (LISTEN/NOTIFY, with psycopg 3), else 1 s",
        crash="by the server's settings",
        lacks="nothing of this list",
    ),
    "mysql": Abilities(
        "`sqlalchemy`: MySQL 8, MariaDB 10.6 and newer",
        survives_restart="yes",
        is_shared="any number of machines",
        history="yes",
        clock="the database's clock",
        claiming="`FOR UPDATE SKIP LOCKED`",
        seen_within="1 s",
        crash="by the server's settings",
        lacks="telling nodes of changes",
    ),
    "mongodb": Abilities(
        "`mongodb`: MongoDB",
        survives_restart="yes",
        is_shared="any number of machines",
        history="yes",
        clock="the server's clock, to the millisecond",
        claiming="a change of the job's document, if it is as it was read",
        seen_within="50 ms (change streams), else 1 s",
        crash="nothing that a majority of the servers has (`w: majority`)",
        lacks="replacing several jobs at once all or none, if the process dies in between; telling nodes of changes without a replica set",
    ),
    "redis": Abilities(
        "`redis`: Redis 6.2 and newer, Valkey",
        survives_restart="if the server keeps its data",
        is_shared="any number of machines",
        history="yes",
        clock="the server's clock",
        claiming="one script, if the job is as it was read",
        seen_within="50 ms (publish and subscribe)",
        crash="by the server's settings: without `appendonly yes` much, with `appendfsync everysec` the last second",
        lacks="keeping what it has acknowledged, unless `appendfsync always` is set, or over a failover",
    ),
    "adapted": Abilities(
        "a store written for APScheduler 3",
        survives_restart="as there",
        is_shared="as there: one scheduler",
        history="the latest, while the process lives",
        clock="the machine's clock",
        claiming="there is one",
        seen_within="when it looks for due jobs",
        crash="as there",
        lacks="sharing; runs that survive a restart",
    ),
}


def table() -> str:
    """A table in Markdown: a column for each kind of store that keeps jobs."""
    rows = []
    for field in fields(Abilities):
        cells = [getattr(kind, field.name) for kind in ABILITIES.values()]
        rows.append(f"| {' | '.join([HEADINGS[field.name], *cells])} |")
        if field.name == "name":
            rows.append("|---" * (len(ABILITIES) + 1) + "|")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
