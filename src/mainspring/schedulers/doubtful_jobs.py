"""Warns of jobs that can be as they are and most likely are not as they were meant: each of what they name, once.

They name an executor or a job that isn't there, or a function by a name that it has in one program alone.
"""

from __future__ import annotations

import sys
from logging import WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainspring.coercion import nearest
from mainspring.engine.following import followed_job, followers_among
from mainspring.jobstores.contract import JobQuery
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord
    from mainspring.schedulers.stores import Stores

#: Of a job store at most so many jobs are looked at for one whose id may have been meant.
LOOKED_AT = 200
#: So many warnings are remembered, so that they aren't repeated: names may be made for each customer.
REMEMBERED = 1000


class DoubtfulJobs:
    """Looks at jobs that have been put into a job store.

    Args:
        executors: what the scheduler has, by alias.
    """

    def __init__(
        self, stores: Stores, executors: Mapping[str, Any], logger: Callable[[], logging.Logger]
    ) -> None:
        self._stores = stores
        self._executors = executors
        self._logger = logger
        self._seen: dict[tuple[str, str, str], None] = {}

    def look(self, records: Sequence[JobRecord], alias: str) -> None:
        """Warn of what is doubtful in these jobs, of the job store with this alias, and was not so in one before."""
        store, executors = self._stores[alias], self._executors
        for record in records:
            if record.options.executor not in executors:
                self._no_executor(record, alias, store)
        if not store.live_records:
            # The first job of each function: they are few where jobs are many.
            for reference, record in {record.func_ref: record for record in reversed(records)}.items():
                if reference is not None and reference.startswith("__main__:"):
                    self._of_main(record, reference, alias)
        for record in followers_among(records):
            self._nothing_before(record, followed_job(record) or "", alias, store)

    def _is_new(self, kind: str, alias: str, name: str) -> bool:
        is_new = (kind, alias, name) not in self._seen
        self._seen[kind, alias, name] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return is_new

    def _no_executor(self, record: JobRecord, alias: str, store: RunStore) -> None:
        executor = record.options.executor
        if not self._is_new("executor", alias, executor):
            return
        meant = nearest(executor, self._executors)
        self._warn(
            record,
            'Job "%s" names the executor %r, which this scheduler doesn\'t have, so %s: %s',
            record.name,
            executor,
            "it doesn't run until there is one"
            if store.poll_interval is None
            else "it runs where another scheduler has one",
            f"did you mean {meant!r}?" if meant else f"add it by add_executor(…, {executor!r})",
        )

    def _nothing_before(self, record: JobRecord, followed: str, alias: str, store: RunStore) -> None:
        if store.get_record(followed) is not None:
            return
        meant = nearest(followed, _other_ids(store, record.id))
        self._warn(
            record,
            'Job "%s" is to run after job %r, which job store %r doesn\'t have, so it waits until there is one: %s',
            record.name,
            followed,
            alias,
            f"did you mean {meant!r}?" if meant else "add that job, to the same job store",
        )

    def _of_main(self, record: JobRecord, reference: str, alias: str) -> None:
        if not self._is_new("function", alias, reference):
            return
        name = reference.partition(":")[2]
        self._warn(
            record,
            'Job "%s" is stored with the function %s, which is another one, or none, in a program that is started otherwise: '
            "there the job is parked. %s",
            record.name,
            reference,
            f"Give it as {_main_module()}:{name}, or keep it in a module of its own",
        )

    def _warn(self, record: JobRecord, text: str, *args: Any) -> None:
        SafeLogger(self._logger()).of_job(WARNING, record.id, text, *args)


def _other_ids(store: RunStore, job_id: str) -> list[str]:
    known = [record.id for record in store.list_records(JobQuery(limit=LOOKED_AT))]
    return [other for other in known if other != job_id]


def _main_module() -> str:
    """The name under which others can import what was started as the program."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else "package.module"
