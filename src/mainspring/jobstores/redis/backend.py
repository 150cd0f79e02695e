"""Redis behind a job store: each step one script."""

from __future__ import annotations

import json
import os
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

from mainspring._version import __version__
from mainspring.engine.reasons import CANCELLED_UNBEGUN, JOB_REMOVED
from mainspring.engine.setbacks import KnownNode, kept_from
from mainspring.errors import ConfigurationError, JobLookupError
from mainspring.jobstores.contract import EVERY_RUN
from mainspring.jobstores.redis.adoption import Adoptions
from mainspring.jobstores.redis.audit import AuditSet, audit_of
from mainspring.jobstores.redis.change_feed import announcements
from mainspring.jobstores.redis.claiming import Claiming, read_group, written_group
from mainspring.jobstores.redis.jobs import Jobs
from mainspring.jobstores.redis.outcome_writer import OutcomeWriter, active_and_disowned, active_runs
from mainspring.jobstores.redis.predecessor import OldKeys
from mainspring.jobstores.redis.rights import refuse_missing_rights
from mainspring.jobstores.redis.rollups import RollUpHashes, forgotten
from mainspring.jobstores.redis.rows import FIELDS, micros, moment_of, read_job, written_job
from mainspring.jobstores.redis.runs import keyed, member_of, not_begun, queued_run, read_run
from mainspring.jobstores.redis.server import text_of
from mainspring.jobstores.shared.backend import Backend, ClusterStatus, Collected
from mainspring.jobstores.shared.change_feed import ChangeFeed
from mainspring.jobstores.shared.claims import Claim, decision_of, restored_job
from mainspring.jobstores.shared.lease import ALIVE, LivingNode, milliseconds, node_from
from mainspring.jobstores.shared.namespaces import shown_with
from mainspring.jobstores.shared.rollups import GREATEST, LEAST
from mainspring.jobstores.shared.rows import read_time, time_text
from mainspring.jobstores.shared.versions import refuse_newer
from mainspring.model import run_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.claims import Claimed, ClaimRequest
    from mainspring.jobstores.shared.lease import Heartbeats, Registration
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.runs import Ended, Finished
    from mainspring.model import Group, NodeRecord, QueuedRun, RunKey, RunRecord, Submission

#: Counted up when what is kept changes.
VERSION = 1

_PAGE = 500
_PRUNED_AT_ONCE = 1000


def _at_once() -> bool:
    """What is asked every second is asked again in its turn: a node that is to end waits for no more than one try."""
    return True


class RedisBackend(Backend):
    """One server, or one cluster.

    Args:
        owns_client: whether `close` is to close its connections.
        old_keys: where APScheduler may have kept its jobs.
    """

    jobs: Jobs

    def __init__(
        self,
        server: Server,
        node_context: NodeContext,
        *,
        owns_client: bool,
        old_keys: tuple[str, str] | None,
    ) -> None:
        self.server = server
        self.outage = server.outage
        self.outage.where = shown_with(node_context.namespace, self.outage.where)
        self.node_context = node_context
        self._owns_client = owns_client
        self._old_keys = old_keys
        self.adoptions = Adoptions(server, node_context)
        self.audit = AuditSet(server)
        self.rollups = RollUpHashes(server)
        self.jobs = Jobs(server, node_context)
        self._outcome_writer = OutcomeWriter(server, node_context)
        self._claiming = Claiming(server, node_context, self._outcome_writer)

    # Life

    def ask_first(self) -> None:
        self.server.client.get(self.server.key("schema"))

    def prepare(self) -> None:
        """See to it that what is there is ours."""
        client, server = self.server.client, self.server
        key = server.key("schema")
        version = server.run(lambda: client.get(key))
        if version is None:
            kind = text_of(server.run(lambda: client.type(server.base.strip("{}"))))
            if kind != "none":
                raise ConfigurationError(
                    f"the key {server.base.strip('{}')!r} holds a {kind} that is not mainspring's: is it APScheduler's? Give another jobs_key"
                )
        else:
            self._refuse_newer(int(text_of(version)))
        server.run(lambda: refuse_missing_rights(server))
        server.run(server.refuse_namesakes)
        server.run(lambda: client.set(key, VERSION, nx=True))
        self.node_context.request_limit = server.run(server.request_limit)

    def lacks(self) -> str | None:
        client, key = self.server.client, self.server.key("schema")
        version = self.server.run(lambda: client.get(key))
        if version is None:
            return f"it has no keys of mainspring ({self.server.base.strip('{}')!r} and others)"
        self._refuse_newer(int(text_of(version)))
        return None

    def ask_time(self) -> None:
        self._ask_nodes("cluster_status", 0)

    def close(self) -> None:
        if self._owns_client:
            self.server.client.close()

    def predecessor(self) -> OldKeys | None:
        if self._old_keys is None:
            return None
        return OldKeys.found(self.server.client, self.server.run, self._old_keys, is_own=True)

    def listen(self, heard: Callable[[], None]) -> ChangeFeed | None:
        return ChangeFeed(partial(announcements, self.server), self.node_context, heard)

    # Nodes

    def _ask_nodes(self, step: str, token: int, **question: Any) -> dict[str, Any]:
        asked = self.node_context.clock.monotonic()
        answer = self.server.ask("nodes", {"step": step, "token": str(token), **question})
        self.node_context.measured(asked, moment_of(answer["time"]))
        return answer

    def _told(self, node: Registration, beats: Heartbeats) -> dict[str, Any]:
        """What changes of a node from one heartbeat to the next."""
        return {
            "executors": sorted(node.executors),
            "clock_offset": milliseconds(self.node_context.offset),
            "heartbeat": time_text(beats.next(self.node_context.now())),
        }

    def register(self, node: Registration, beats: Heartbeats) -> tuple[int, float]:
        self.ask_time()  # by it the heartbeat is written
        asked = self.node_context.clock.monotonic()
        entry = {
            **self._told(node, beats),
            "name": node.name,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "lease": milliseconds(node.lease),
            "started": time_text(self.node_context.now()),
            "state": ALIVE,
        }
        answer = self._ask_nodes("register", 0, node=entry, understood=VERSION)
        if "newer" in answer:
            self._refuse_newer(int(answer["newer"]))
        return int(answer["token"]), asked

    def _refuse_newer(self, version: int) -> None:
        refuse_newer(f"the keys of {self.server.base!r}", version, VERSION)

    def renew(self, token: int, node: Registration, beats: Heartbeats) -> bool:
        since = "" if beats.taken is None else time_text(beats.taken)
        told = self._told(node, beats)
        return bool(self._ask_nodes("renew", token, node=told, since=since)["was_alive"])

    def known_nodes(self) -> list[KnownNode]:
        client, key = self.server.client, self.server.key("nodes")
        found = self.server.run(lambda: client.hgetall(key))
        return list(_known((text_of(token), text_of(text)) for token, text in found.items()))

    def list_nodes(self) -> list[NodeRecord]:
        client, key = self.server.client, self.server.key("nodes")
        found = self.server.run(lambda: client.hgetall(key))
        nodes = [
            node_from({**json.loads(text_of(text)), "token": int(text_of(token))})
            for token, text in found.items()
        ]
        return sorted(nodes, key=lambda node: node.token, reverse=True)

    def declare_dead(self, token: int, heartbeat: datetime) -> bool:
        told = time_text(heartbeat)
        return bool(self._ask_nodes("bury", token, heartbeat=told)["was_alive"])

    def sign_off(self, token: int) -> None:
        self._ask_nodes("leave", token, heartbeat=time_text(self.node_context.now()))

    def cluster_status(self, token: int) -> ClusterStatus:
        return self._next_and_status({"token": str(token), "executors": False, "set_aside": []})[1]

    def _next_and_status(self, question: dict[str, Any]) -> tuple[datetime | None, ClusterStatus]:
        asked = self.node_context.clock.monotonic()
        answer = self.server.ask("cluster_status", question, give_up=_at_once)
        self.node_context.measured(asked, moment_of(answer["time"]))
        living = [*_living(answer["nodes"])]
        alive = {str(node.token) for node in living}
        status = ClusterStatus(
            living,
            any(holder not in alive for holder in answer["holders"]),
            moment_of(answer["queue"]) if answer["queue"] else None,
            [run_key(name) for name in answer["to_cancel"]],
        )
        return moment_of(answer["next"]) if answer["next"] else None, status

    # Runs

    def next_time(
        self, now: datetime, executors: Collection[str], set_aside: Collection[str]
    ) -> datetime | None:
        return self.poll(now, executors, set_aside, None)[0]

    def poll(
        self,
        now: datetime,  # noqa: ARG002 - what is held by another node is due a little later here
        executors: Collection[str],
        set_aside: Collection[str],
        token: int | None,
    ) -> tuple[datetime | None, ClusterStatus | None]:
        question = {
            "token": False if token is None else str(token),
            "executors": sorted(executors),
            "set_aside": sorted(set_aside),
        }
        first, status = self._next_and_status(question)
        return first, None if token is None else status

    def unclaimable(
        self, before: datetime, decide: Decide, executors: Collection[str], limit: int
    ) -> list[Decision]:
        question = {
            "before": micros(before),
            "executors": sorted(executors),
            "limit": limit,
            "columns": FIELDS,
        }
        claim = Claim([], {}, [], None)
        for job_id, fields in self.server.ask("left", question)["rows"]:
            claim.add(read_job(job_id, fields, self.node_context), decide, 0, lambda _: 0, None)
        return claim.parked

    def claim(self, request: ClaimRequest, give_up: Callable[[], bool]) -> Claimed:
        return self._claiming.claim(request, give_up)

    def give_back(self, decision: Decision, token: int, later: datetime | None) -> bool:
        claim = self._claim_of(decision, token, later or self.node_context.now(), may_wait=decision.requeues)
        answer = self.server.ask("give_back", {"claims": [claim], "announce": False, "skipped": False})
        return bool(answer["undone"][0])

    def release(self, submissions: Sequence[Submission], give_up: Callable[[], bool]) -> None:
        now = self.node_context.now()
        claims = []
        for submission in submissions:
            token = 0 if submission.lease is None else submission.lease.token
            claims.append(self._claim_of(decision_of(submission, now), token, now, may_wait=True))
        question = {
            "claims": claims,
            "announce": str(self.node_context.token),
            "skipped": not_begun(now, "skipped", JOB_REMOVED),
        }
        self.server.ask("give_back", question, give_up)

    def _claim_of(
        self, decision: Decision, token: int, available: datetime, *, may_wait: bool
    ) -> dict[str, Any]:
        """What was claimed for a decision, to be undone."""
        job, following = decision.job, decision.following
        before = restored_job(decision)
        group = job.options.group
        begun_at = None if group is None or decision.claimed is None else repr(decision.claimed.timestamp())
        return {
            "job_id": job.id,
            "group": group if begun_at is not None else False,
            "begun": begun_at or False,
            "job": written_job(before, self.node_context, self.node_context.now()),
            "expects": str(job.version + 1 if following is None else following.version),
            "has_ended": following is None,
            "may_be_gone": following is None and not job.options.outlasts_schedule,
            "token": str(token),
            "members": [f"{member_of(time)}{decision.attempt_of(time)}" for time in decision.submit],
            "was_queued": decision.requeues,
            "may_wait": may_wait,
            "available": micros(available),
            "available_text": time_text(available),
        }

    def finish(self, ended: Sequence[Ended], give_up: Callable[[], bool] | None) -> Finished:
        return self._outcome_writer.finish(ended, give_up)

    def report_progress(self, said: Mapping[tuple[RunKey, int], str], give_up: Callable[[], bool]) -> None:
        told = [{"token": str(token), "name": key.id, "text": text} for (key, token), text in said.items()]
        self.server.ask("report_progress", {"said": told}, give_up)

    def collect_lost(self, own: Callable[[], Collection[tuple[str, datetime, int]]]) -> Collected:
        if not self.cluster_status(0).has_orphans:
            return Collected([], {}, None)
        runs, disowned = active_and_disowned(self.server)
        # Asked now: whoever has claimed one of these, and be it a moment ago, is there by now.
        alive = {node.token for node in self.cluster_status(0).living}
        ours = own()
        return self._outcome_writer.collect_lost(
            [run for run in runs if run.token not in alive and tuple(run.key) not in ours], disowned
        )

    def prunable(self, job_ids: Sequence[str], keep: int, before: datetime) -> int:
        found: set[str] = set()
        question = {"before": micros(before), "before_text": time_text(before), "count": _PRUNED_AT_ONCE}
        at = 0
        while True:
            answer = self.server.ask("prune", {**question, "from": at})
            found.update(name for name, _ in answer["runs"] or ())
            read = len(answer["runs"] or ()) + answer["kept"]
            if not read:
                break
            at += read
        for job_id in job_ids:
            beyond = {"before": False, "ids": [job_id], "keep": keep, "count": EVERY_RUN, "from": 0}
            found.update(name for name, _ in self.server.ask("prune", beyond)["runs"] or ())
        return len(found)

    def prune(self, job_ids: Sequence[str], keep: int, before: datetime) -> None:
        self._prune({"before": micros(before), "before_text": time_text(before), "count": _PRUNED_AT_ONCE})
        for at in range(0, len(job_ids), _PAGE):
            ids = job_ids[at : at + _PAGE]
            self._prune({"before": False, "ids": ids, "keep": keep, "count": _PRUNED_AT_ONCE})
        client, key = self.server.client, self.server.key("nodes")
        kept = kept_from(before, self.node_context.now())
        for node in self.known_nodes():
            if not node.is_alive and node.heartbeat < kept:
                client.hdel(key, str(node.token))

    def _prune(self, question: dict[str, Any]) -> None:
        now = self.node_context.now()
        stays = 0  # and isn't looked at again
        while True:
            answer = self.server.ask("prune", {**question, "from": stays})
            stays += answer["kept"]
            found = answer["runs"] or []
            for at in range(0, len(found), _PAGE):
                runs = [forgotten(name, text or None, now) for name, text in found[at : at + _PAGE]]
                marks = {"least": dict.fromkeys(LEAST, True), "greatest": dict.fromkeys(GREATEST, True)}
                self.server.ask("forget", {"runs": runs, **marks})
            if not found and not answer["kept"]:
                break

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        announce = (
            str(self.node_context.token)
            if self.node_context.is_soon(run.available for run in runs)
            else False
        )
        audit = audit_of(self.node_context.now(), "run", [run.key for run in runs])
        question = {"queue": [queued_run(run) for run in runs], "announce": announce, "audit": audit}
        answer = self.server.ask("enqueue", question)
        if "unknown" in answer:
            raise JobLookupError(answer["unknown"])
        return [runs[at] for at in answer["new"]]

    def cancel(self, key: RunKey) -> bool:
        now = self.node_context.now()
        question = {
            "run": {**keyed(key), "outcome": not_begun(now, "cancelled", CANCELLED_UNBEGUN)},
            "announce": str(self.node_context.token),
            "audit": audit_of(now, "cancel", [key]),
        }
        return bool(self.server.ask("cancel", question)["found"])

    def get_run(self, key: RunKey) -> RunRecord | None:
        answer = self.server.ask("run", {"name": key.id})
        return read_run(key.id, answer["run"], answer["progress"] or None) if answer["run"] else None

    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        # One after another in an order in which nothing is missed that goes on meanwhile; what has ended since counts as going on.
        ended: list[RunRecord] = []
        queued: list[RunRecord] = []
        active = active_runs(self.server) if outcome in (None, "running") else []
        if outcome in (None, "queued"):
            found = self.server.run(lambda: self.server.client.hgetall(self.server.key("queued")))
            queued = [read_run(text_of(name), text_of(text)) for name, text in found.items()]
        if outcome is None:
            active += active_runs(self.server)
        if outcome not in ("running", "queued"):
            ended = list(self._ended(job_id, outcome, since, limit))
        runs = [
            run
            for run in {run.key: run for run in (*queued, *ended, *active)}.values()
            if job_id in (None, run.job_id) and (since is None or run.scheduled_run_time >= since)
        ]
        runs.sort(key=lambda run: (-run.scheduled_run_time.timestamp(), run.job_id, -run.attempt))
        return runs[:limit]

    def _ended(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> Iterator[RunRecord]:
        """Ended runs, latest first: as many as there are to be, and those that are due at the same time as the last."""
        at, found = 0, 0
        last: datetime | None = None
        while True:
            question = {
                "job_id": job_id if job_id is not None else False,
                "since": "-inf" if since is None else micros(since),
                "from": at,
                "count": _PAGE if outcome is not None else min(limit + 1, _PAGE),
                "outcome": outcome or False,
            }
            answer = self.server.ask("history", question)
            for name, text in answer["runs"] or ():
                run = read_run(name, text)
                if outcome not in (None, run.outcome):
                    continue
                if found >= limit and run.scheduled_run_time != last:
                    return
                found, last = found + 1, run.scheduled_run_time
                yield run
            if not answer["read"]:
                return
            at += answer["read"]

    # Groups

    def set_group(self, group: Group) -> None:
        self._write_group(group.name, written_group(group))

    def remove_group(self, name: str) -> bool:
        return self._write_group(name, None)

    def _write_group(self, name: str, limits: str | None) -> bool:
        question = {"name": name, "limits": limits or False, "announce": str(self.node_context.token)}
        return bool(self.server.ask("group", question)["had"])

    def list_groups(self) -> list[Group]:
        client, key = self.server.client, self.server.key("groups")
        found = self.server.run(lambda: client.hgetall(key))
        return sorted(read_group(text_of(name), text_of(text)) for name, text in found.items())


def _known(nodes: Iterable[tuple[str, str]]) -> Iterator[KnownNode]:
    for token, text in nodes:
        node = json.loads(text)
        heartbeat = read_time(node["heartbeat"])
        if heartbeat is not None:
            is_alive = node["state"] == ALIVE
            yield KnownNode(int(token), node["name"], heartbeat, int(node["lease"]), is_alive)


def _living(nodes: Sequence[Any]) -> Iterator[LivingNode]:
    for node in _known(nodes):
        if node.is_alive:
            yield LivingNode(*node[:4])
