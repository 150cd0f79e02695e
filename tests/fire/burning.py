"""Nodes on a store that is attacked, and what the tests ask of them."""

from __future__ import annotations

import itertools
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from diary import Diary, Moments
from nodes import LIBRARY, Node, wait_for

from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing.checker import Call, Change, NodeLife, Observed, ObservedJob, Span, check
from stores import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from grounds import Ground


class Fire:
    """Real processes on one store.

    Args:
        lease: of the nodes, in seconds.
        older: the library of an older release, by a node of which the store is made.

    Attributes:
        scheduler: the test's own, which runs nothing.
        diary: what the jobs' functions have done.
    """

    def __init__(self, ground: Ground, folder: Path, lease: float = 2.0, older: Path | None = None) -> None:
        self.ground, self.folder, self.lease = ground, folder, lease
        self.name = f"f{uuid.uuid4().hex[:12]}_jobs"
        self.diary = Diary(folder / f"{self.name}.diary")
        self.nodes: list[Node] = []
        self._jobs: dict[str, ObservedJob] = {}
        self._numbers = itertools.count()
        self.has_older = older is not None
        if older is not None:
            self.start(1, library=older)
        self.scheduler = self._watch()

    def _watch(self) -> BackgroundScheduler:
        store = open_store(self.ground.url, self.name, lease=60, keep_runs=10_000, node_name="watch")
        scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.start(paused=True)
        return scheduler

    @contextmanager
    def unwatched(self):
        """Without the test's own scheduler, which would see who is silent."""
        self.scheduler.shutdown()
        try:
            yield
        finally:
            self.scheduler = self._watch()

    @property
    def alive(self) -> list[Node]:
        """The processes that haven't ended."""
        return [node for node in self.nodes if node.process.poll() is None]

    def node_of(self, job_id: str) -> Node:
        """The process that has begun the last run of a job."""
        (pid,) = [call.pid for call in self.diary.calls() if call.job_id == job_id][-1:]
        return next(node for node in self.nodes if node.pid == pid)

    def begin(
        self, environment: dict[str, str] | None = None, library: Path = LIBRARY, **settings: object
    ) -> Node:
        """Begin one more process; it isn't waited for."""
        number = next(self._numbers)
        node = Node(
            {
                "url": self.ground.url,
                "name": self.name,
                "log": str(self.folder / f"{self.name}-{number}.log"),
                "node_name": f"node{number}",
                "lease": self.lease,
                "workers": 20,
                "store_options": {},
                **settings,
            },
            self.diary.path,
            environment,
            library,
        )
        self.nodes.append(node)
        return node

    def start(self, count: int, environment: dict[str, str] | None = None, **settings: object) -> list[Node]:
        """Start processes at once, and wait until they run."""
        return [
            node.wait_until_ready() for node in [self.begin(environment, **settings) for _ in range(count)]
        ]

    def now(self) -> datetime:
        """By the store's clock."""
        return datetime.now(UTC) + self.scheduler._stores["default"].clock_offset

    def add(self, job_id: str, func: str, *args: object, after: float = 0.0, **options: object) -> str:
        """Add a job that is due once, some seconds from now, unless it has a trigger."""
        if "trigger" not in options:
            options |= {"trigger": "date", "run_date": self.now() + timedelta(seconds=after)}
        added = self.now()
        job = self.scheduler.add_job(f"fire_jobs:{func}", args=args, id=job_id, **options)
        self._jobs[job_id] = ObservedJob.of(job, added=added)
        return job_id

    def remove(self, *job_ids: str) -> None:
        """Remove jobs."""
        for job_id in job_ids:
            self.scheduler.remove_job(job_id)
            known = self._jobs[job_id]
            self._jobs[job_id] = replace(known, changes=[Change(self.now(), "removed")])

    def faults(
        self, since: datetime, *, outages: Sequence[tuple[float, float]] = (), patience: float = 5.0
    ) -> list[str]:
        """What the checker finds wrong with the jobs that were added since.

        Args:
            outages: from when to when nobody could use the store, by the monotonic clock.
            patience: seconds that anything may take.
        """
        jobs = [job for job in self._jobs.values() if job.added >= since]
        names = {job.id for job in jobs}
        true_time = Moments().at
        runs = [run for run in self.scheduler.get_runs(limit=1_000_000) if run.job_id in names]
        calls = [
            Call(
                call.job_id,
                true_time(call.began),
                None if call.ended is None else true_time(call.ended),
                call.scheduled,
                call.attempt,
                [call.pid],
                call.node,
            )
            for call in self.diary.calls()
            if call.job_id in names
        ]
        nodes = [
            NodeLife(
                true_time(node.began),
                None if node.died is None else true_time(node.died),
                node.name,
                node.pid,
                [Span(true_time(start), true_time(end)) for start, end in node.mute],
            )
            for node in self.nodes
        ]
        observed = Observed(
            since=since,
            until=self.now(),
            jobs=jobs,
            runs=runs,
            calls=calls,
            nodes=nodes,
            outages=[Span(true_time(start), true_time(end)) for start, end in outages],
            patience=timedelta(seconds=patience),
            precision=timedelta(milliseconds=50),
        )
        # Nodes of older releases don't write how many due times a run stands for.
        unjudged = {"due_times"} if self.has_older else set()
        return [str(fault) for fault in check(observed) if fault.kind not in unjudged]

    def going(self, since: datetime) -> list[str]:
        """The runs of the jobs that were added since that haven't ended."""
        return [
            run.id
            for run in self.scheduler.get_runs(limit=1_000_000)
            if run.outcome is None and run.job_id in self._jobs and self._jobs[run.job_id].added >= since
        ]

    def outcomes(self, job_id: str) -> list[str | None]:
        """Those of its attempts, in their order."""
        runs = self.scheduler.get_runs(job_id, limit=10_000)
        return [run.outcome for run in sorted(runs, key=lambda run: (run.scheduled_run_time, run.attempt))]

    def wait_until_begun(self, *job_ids: str) -> None:
        wait_for(lambda: set(job_ids) <= set(self.diary.began()), f"beginning of {job_ids}")

    def wait_until_over(self, *job_ids: str) -> None:
        """Until the functions have returned, whatever the store knows of it."""
        wait_for(lambda: set(job_ids) <= set(self.diary.ended()), f"end of {job_ids}")

    def wait_for_outcomes(self, wanted: dict[str, list[str]]) -> None:
        wait_for(
            lambda: {job_id: self.outcomes(job_id) for job_id in wanted} == wanted,
            f"outcomes {wanted}; there are { ({job_id: self.outcomes(job_id) for job_id in wanted}) }",
        )

    def logged(self, *levels: str, since: float = 0.0) -> list[dict]:
        return [line for node in self.nodes for line in node.logged(*levels, since=since)]

    def flag(self, name: str) -> Path:
        """The file for which `hold` waits."""
        return self.folder / f"{self.name}-{name}.flag"

    def stop(self) -> None:
        """End all that live, in good order."""
        for node in self.alive:
            node.stop()

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self.scheduler.shutdown(wait=False)
