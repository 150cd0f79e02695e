"""What became of runs that are pruned: a hash for each job, with a field for each minute, hour and day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mainspring.jobstores.redis.runs import read_run
from mainspring.jobstores.redis.server import text_of
from mainspring.jobstores.shared.rollups import SPANS, PrunedRun, RollUp, RollUps, read_numbers, rolled_up
from mainspring.jobstores.shared.rows import read_time, time_text
from mainspring.model import run_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.rollups import Span


def forgotten(name: str, text: str | None, now: datetime) -> dict[str, Any]:
    """An ended run as `forget` takes it; nothing is counted of one that is damaged."""
    taken: dict[str, Any] = {"job_id": run_key(name).job_id, "name": name, "fields": [], "numbers": {}}
    try:
        run = read_run(name, text or "")
    except Exception:  # noqa: BLE001 - it may hold anything
        return taken
    if run.outcome is not None:
        of_it = rolled_up(
            [
                PrunedRun(
                    run.job_id, run.scheduled_run_time, run.outcome, run.started, run.finished, run.available
                )
            ],
            now,
        )
        taken["fields"] = [f"{one.span} {time_text(one.start)}" for one in of_it]
        taken["numbers"] = of_it[0].numbers if of_it else {}
    return taken


class RollUpHashes(RollUps):
    """See `RollUps`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def entries(self, job_id: str | None, span: Span, since: datetime) -> list[RollUp]:
        """See `RollUps.entries`."""
        found = []
        for one in self._jobs() if job_id is None else [job_id]:
            for field, text in self._fields(one).items():
                its_span, start = _read_field(field)
                if its_span == span and start >= since:
                    found.append(RollUp(one, span, start, read_numbers(json.loads(text))))
        return sorted(found, key=lambda rollup: (rollup.start, rollup.job_id))

    def _jobs(self) -> list[str]:
        client, key = self._server.client, self._server.key("rolled_up")
        return sorted(map(text_of, self._server.run(lambda: client.smembers(key))))

    def _fields(self, job_id: str) -> dict[str, str]:
        client, key = self._server.client, self._server.key(f"rollups:{job_id}")
        found = self._server.run(lambda: client.hgetall(key))
        return {text_of(field): text_of(text) for field, text in found.items()}

    def prune(self, before: Mapping[Span, datetime], gone_before: datetime) -> None:
        """See `RollUps.prune`."""
        times = {span: time_text(time) for span, time in before.items()}
        for job_id in self._jobs():
            question = {"id": job_id, "before": times, "gone_before": time_text(gone_before)}
            self._server.ask("prune_rollups", question)


def _read_field(field: str) -> tuple[Span, datetime]:
    span, _, start = field.partition(" ")
    time = read_time(start)
    for known in SPANS:
        if span == known and time is not None:
            return known, time
    raise ValueError(f"no field of a roll-up: {field!r}")
