"""A job store that any number of nodes share: what schedulers and programs call, and what one node knows of itself.

What is kept, and how claims are made there, is the backend's; here is when it is asked, what this node sets aside for now, and what
it has still to write.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from mainspring.clock import pause
from mainspring.coercion import names_keywords
from mainspring.engine.reasons import EXECUTOR_REFUSED
from mainspring.errors import (
    ConfigurationError,
    ConflictingIdError,
    JobLookupError,
    MainspringError,
    SerializationError,
    StoreUnavailableError,
    UnsignedJobError,
)
from mainspring.forks import leaves_to_parent
from mainspring.jobstores.contract import ALL_JOBS, ClaimedBatch, JobQuery, ParkedJob
from mainspring.jobstores.host import CallLimit
from mainspring.jobstores.ledger import Ledger
from mainspring.jobstores.native import NativeJobStore
from mainspring.jobstores.shared.advice import advice_on
from mainspring.jobstores.shared.agenda import POLL, UNCLAIMABLE_AFTER, Agenda
from mainspring.jobstores.shared.audit import ENTRIES_KEPT
from mainspring.jobstores.shared.backoff import pause_before_retry, try_again
from mainspring.jobstores.shared.claims import ClaimRequest
from mainspring.jobstores.shared.dividing import write_in_parts
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.lease import NodeLease
from mainspring.jobstores.shared.membership import Membership
from mainspring.jobstores.shared.outage import (
    CLAIMING,
    HEARTBEAT,
    LEAVING,
    OUTCOMES,
    PROGRESS,
    PRUNING,
    SLOW_AFTER,
    STARTING,
    WATCHING,
    said_by,
)
from mainspring.jobstores.shared.outcomes import Outcomes
from mainspring.jobstores.shared.own_runs import beside, is_taken_away, runs_decided, runs_of, unbegun_part
from mainspring.jobstores.shared.predecessor import checked_adopt
from mainspring.jobstores.shared.reaching import FirstQuestion, NoAnswerError
from mainspring.jobstores.shared.rollups import kept_since, start_of
from mainspring.jobstores.shared.row_locks import UnsignedJob
from mainspring.jobstores.shared.rows import (
    LONGEST_NAME,
    Unreadable,
    record_of,
    refuse_padded,
    refuse_unstorable,
)
from mainspring.jobstores.shared.set_back import Past
from mainspring.jobstores.shared.upkeep import Upkeep
from mainspring.model import RunKey
from mainspring.serializers.signing import ENVIRONMENT, reading_for
from mainspring.storable import is_storable, storable
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from mainspring.clock import Clock
    from mainspring.engine.decision import Decision
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.shared.audit import AuditEntry, AuditQuery
    from mainspring.jobstores.shared.backend import Backend, ClusterStatus
    from mainspring.jobstores.shared.change_feed import ChangeFeed
    from mainspring.jobstores.shared.claims import Claimed
    from mainspring.jobstores.shared.maintenance import Maintenance
    from mainspring.jobstores.shared.predecessor import Adopt, Handover, Marks, OldJobs
    from mainspring.jobstores.shared.rollups import RollUp, Span
    from mainspring.model import Group, JobRecord, NodeRecord, QueuedRun, RunRecord, Submission

_UNCLAIMABLE_SHOWN = 100
#: A heartbeat that failed is tried again after this part of the time between two, so that one more is taken within the lease after an outage.
_RETRIED_AFTER = 0.25
#: A node looks at the others so often in the time of a lease, but no more seldom than every two seconds.
_LOOKS, _LONGEST_LOOK = 4, 2.0
#: Databases keep it as a number of milliseconds.
_LONGEST_LEASE = timedelta(days=24)
#: History that is kept for longer is kept for ever.
_FOR_EVER = timedelta(days=365_000)
#: Seconds for which leaving in good order is tried.
_LEAVING = 5.0


#: So often at most what could not be given back is tried again.
_RELEASE_ATTEMPTS = 12


def default_node_name() -> str:
    """What a node is called that was given no name: its host and process."""
    return storable(f"{socket.gethostname()}-{os.getpid()}")


def _duration(name: str, value: Any, unit: str) -> timedelta:
    """What a program says as a ``timedelta``, or as a number of a unit.

    Raises:
        ConfigurationError: it is neither, or no duration is so long.
    """
    if isinstance(value, timedelta):
        return value
    try:
        return timedelta(**{unit: value})
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{name} must be a number of {unit}, or a timedelta, got {value!r}: {error}"
        ) from None


def _nothing(item: Any, error: Exception) -> None:
    """What to write instead of what is refused."""
    del item, error


def _is_nobody_elses(submission: Submission) -> bool:
    """Whether nobody can have taken over what was claimed by this node."""
    lease = submission.lease
    return isinstance(lease, NodeLease) and (lease.was_forgotten or not lease.is_lost())


def _token_of(submission: Submission) -> int:
    return 0 if submission.lease is None else submission.lease.token


#: So many jobs are read at a time to find those of a group or an owner.
_PAGE = 1000


class SharedJobStore(NativeJobStore):
    """Keeps jobs in a database, for any number of schedulers.

    Args:
        backend: the database.
        lease: seconds (or a ``timedelta``) without a sign of life after which a node counts as dead.
        keep_runs: how many ended runs of each job are kept.
        keep_runs_for: how long (days, or a ``timedelta``).
        adopt: whether jobs that APScheduler stored here are adopted.
        handover: until when no job is run, since an APScheduler may still be at work here.

    Raises:
        ConfigurationError: a value that can't be.
    """

    poll_interval: ClassVar[timedelta | None] = POLL
    claim_limit: ClassVar[int] = 1000  # a transaction costs as much as deciding about hundreds

    def __init__(
        self,
        backend: Backend,
        lease: float | timedelta,
        keep_runs: int,
        keep_runs_for: float | timedelta,
        adopt: Adopt = "auto",
        handover: Handover | None = None,
    ) -> None:
        duration = _duration("lease", lease, "seconds")
        if not timedelta(seconds=1) <= duration <= _LONGEST_LEASE:
            most = f", and {_LONGEST_LEASE.days} days at most" if duration > _LONGEST_LEASE else ""
            raise ConfigurationError(f"lease must be a second or more{most}, got {lease!r}")
        if keep_runs < 0:
            raise ConfigurationError(f"keep_runs must be a whole number of 0 or more, got {keep_runs!r}")
        if not is_storable(backend.node_context.node_name):
            raise ConfigurationError(
                f"node_name has characters that databases can't keep: {backend.node_context.node_name!r}"
            )
        checked_adopt(adopt, handover)
        #: Whether jobs that APScheduler stored here are adopted, and what all jobs wait for before that.
        self.adopt, self.handover = adopt, handover
        self._renamed = ""
        self._held_because: str | None = (
            None if handover is None else "the hand-over has not been looked at yet"
        )
        self._lease_duration = duration
        self._kept = keep_runs, min(_duration("keep_runs_for", keep_runs_for, "days"), _FOR_EVER)
        self._backend = backend
        self._outage = backend.outage
        self._node_context = backend.node_context
        self._default_name = default_node_name()
        self._begin_in_process()
        leaves_to_parent(self)

    def _begin_in_process(self) -> None:
        """Make what belongs to one process."""
        self._agenda = Agenda(min(self._lease_duration.total_seconds() / _LOOKS, _LONGEST_LOOK))
        self._outcomes = Outcomes(
            self._backend,
            *self._kept,
            self._agenda.note_queue_due,
            self._tell_lost,
            self._tell_paused,
            self._can_write,
        )
        self._membership: Membership | None = None
        self._upkeep: Upkeep | None = None
        self._heartbeat: Upkeep | None = None
        self._watch: Upkeep | None = None
        self._change_feed: ChangeFeed | None = None

        self._lock = Lock()
        self._ledger = Ledger()
        self._executors: tuple[str, ...] = ("default",)
        self._held = 0
        self._unbegun: list[Submission] = []  # are to be given back
        self._claimed_at: datetime | None = None
        self._handed_out: Sequence[
            Decision
        ] = ()  # by the last claim: perhaps the scheduler doesn't know of it yet
        self._is_closing = False
        self._unclaimable_jobs: set[str] = set()
        self._unclaimable_queued: set[str] = set()
        self._said: dict[tuple[RunKey, int], str] = {}
        self._past = Past(self._outage)
        self._rollups_pruned: datetime | None = None
        self._refusal: str | None = None
        self._before: tuple[int, datetime] | None = None  # token and last heartbeat of an earlier life

    def leave_to_parent(self) -> None:
        """In a forked process: the registration, what was claimed under it and what is to be written of it are the parent's.

        The database can be asked and changed; `start` makes a node of this process.
        """
        for part in (self._heartbeat, self._upkeep, self._watch, self._change_feed):
            if part is not None:
                part.leave_to_parent()
        node_context, name = self._node_context, default_node_name()
        if node_context.node_name == self._default_name:
            node_context.node_name = name
        self._default_name = name
        node_context.token = 0  # or the parent would take what is announced here for its own
        self._begin_in_process()

    # What was here before

    def predecessor(self) -> OldJobs | None:
        """See `HasPredecessor.predecessor`."""
        return self._backend.predecessor()

    def adoption_marks(self, source: str) -> Marks:
        """See `HasPredecessor.adoption_marks`."""
        return self._backend.adoptions.marks(source)

    def adopt_records(
        self,
        source: str,
        records: Sequence[JobRecord],
        outcomes: Mapping[str, str],
        seen: Mapping[str, str],
        *,
        completes: bool,
    ) -> bool:
        """See `HasPredecessor.adopt_records`."""
        return self._backend.adoptions.adopt(source, records, outcomes, seen, completes=completes)

    def hold(self, reason: str | None) -> None:
        """See `HasPredecessor.hold`."""
        self._held_because = reason
        self._agenda.next_is_unknown()

    def read_old(self, data: bytes, renamed: Callable[[str, str], tuple[str, str]] | None = None) -> Any:
        """See `HasPredecessor.read_old`."""
        return self._node_context.arguments.read_old(data, renamed)

    def refuse_unstorable(self, record: JobRecord) -> None:
        """See to it that this store can keep a job.

        Raises:
            SerializationError: it can't.
        """
        self._refuse_unstorable(record)
        self._node_context.writable(record)

    # Life

    def start(self, scheduler: Any, alias: str) -> None:
        """Make what is needed in the database where it isn't there, and enter this node.

        Raises:
            ConfigurationError: what is there is something else's; or the store is set up in a way that trying again doesn't mend.
            StoreUnavailableError: the database could not be had for as long as the scheduler's start may take.
        """
        super().start(scheduler, alias)
        if self._upkeep is not None:
            self._is_closing = False  # it was shut down, and runs of it still go on: it stays as it is
            return
        node_context = self._node_context
        if self._renamed:
            self._logger.info("Job store %r: %s", alias, self._renamed)
        if node_context.locks.note is not None:
            self._logger.info("Job store %r: %s", alias, node_context.locks.note)
        self._backend.go_by(self._host.clock)
        node_context.timezone = self._host.timezone
        outage = self._outage
        node_context.logger = outage.logger = self._logger
        outage.clock, outage.alias = node_context.clock, alias
        outage.instead_of_waiting = self._host.instead_of_waiting
        outage.forget()
        self._past = Past(outage)
        self._refusal = None
        # The others may be waiting for an answer that doesn't come; at first whoever starts this store is.
        self._watch = Upkeep(
            f"mainspring-watch-{alias}",
            {outage.look_for_slow: SLOW_AFTER / 2},
            self._logger,
            node_context.clock,
            runner=self._host.upkeep_runner,
        )
        self._watch.start()
        try:
            membership = self._entered()
        except BaseException:
            self._watch.stop()
            self._watch = None
            raise
        # On a thread of its own: what others do may take longer than the lease.
        self._heartbeat = Upkeep(
            f"mainspring-lease-{alias}",
            {self._renew: lambda: membership.heartbeat_seconds},
            self._logger,
            node_context.clock,
            outage=outage,
            retried_after=_RETRIED_AFTER,
            runner=self._host.upkeep_runner,
        )
        self._upkeep = Upkeep(
            f"mainspring-store-{alias}",
            {
                self._look_for_dead: lambda: self._agenda.looks_every * 0.15,
                self._prune: 60.0,
                self._flush_progress: POLL.total_seconds(),
            },
            self._logger,
            node_context.clock,
            flush=self._flush,
            ended=self._leave,
            outage=outage,
            runner=self._host.upkeep_runner,
        )
        for upkeep in (self._heartbeat, self._upkeep):
            upkeep.start()
        self._change_feed = self._backend.listen(self._on_remote_change)

    def attach(self, timezone: tzinfo, timeout: float, *, makes: bool = False) -> None:
        """Open the store to ask and change what is in it, without being a node: nothing is run.

        Args:
            timezone: of jobs whose trigger has none.
            timeout: seconds for which a server is waited for.
            makes: make what isn't there, as a node would, instead of refusing it.

        Raises:
            ConfigurationError: mainspring has no store there, or one of an older or a newer release; or the store is set up in a way that trying
                again doesn't mend.
            StoreUnavailableError: the database can't be had.
        """
        self._node_context.timezone = timezone
        limit = CallLimit(self._outage.clock, timeout)
        try:
            with self._outage.tried_until(limit.gives_up, limit.seconds), self._outage.doing(STARTING):
                try_again(FirstQuestion(self._backend.ask_first, limit.gives_up), self._outage)
                if not makes:
                    self._refuse_lacking()
                self._backend.prepare()
                self._backend.ask_time()
        except Exception as error:
            self._backend.close()
            refusal = self._refusal_of(error, f"tried for {limit.seconds:g} s")
            if refusal is None:
                raise
            raise refusal from error

    def lacks(self) -> str | None:
        """What is not there, or of an older release, in a sentence; ``None``: nothing. Needs no started scheduler.

        Raises:
            ConfigurationError: what is there is something else's, or a newer release's.
        """
        try:
            return self._backend.lacks()
        finally:
            self._close_if_not_started()

    def pending_upgrade(self) -> str | None:
        """What bringing the store up to date would do, in statements or a sentence; ``None``: nothing is to be done. Needs no started scheduler.

        Raises:
            ConfigurationError: what is there is something else's, or a newer release's.
        """
        return self.lacks()

    @property
    def maintenance(self) -> Maintenance | None:
        """What an operator does to the database as a whole; ``None``: it has means of its own for that."""
        return None

    def prune_history(self, job_ids: Sequence[str], keep: int, before: datetime) -> None:
        """Remove history: of these jobs all but the latest `keep` runs, and whatever of any job is from before a time; in batches."""
        self._backend.prune(job_ids, keep, before)

    def prunable(self, job_ids: Sequence[str], keep: int, before: datetime) -> int:
        """How many runs `prune_history` would remove now."""
        return self._backend.prunable(job_ids, keep, before)

    def _refuse_lacking(self) -> None:
        lacking = self._backend.lacks()
        if lacking is not None:
            raise ConfigurationError(f"{self._outage.name} holds no jobs to look at: {lacking}")

    def list_rollups(self, job_id: str | None, span: Span, since: datetime) -> list[RollUp]:
        """What became of runs that aren't in the history any more; see `RollUps.entries`."""
        return self._backend.rollups.entries(job_id, span, since)

    def audit_entries(self, query: AuditQuery) -> list[AuditEntry]:
        """Who has done what, the latest first: the entries that are asked for."""
        return self._backend.audit.entries(query)

    def note_done(self, what: Sequence[AuditEntry]) -> None:
        """Keep entries about what was done to the store as a whole."""
        self._backend.audit.write(what)

    def list_nodes(self) -> list[NodeRecord]:
        """The registrations of nodes that the store knows, the latest first; of those that have ended, for a day at least."""
        return self._backend.list_nodes()

    def _entered(self) -> Membership:
        """Make what is needed in the database, and enter this node; tried until the scheduler's start is given up."""
        outage = self._outage
        starting = self._host.start_limit(outage.alias)
        began = outage.clock.monotonic()
        try:
            with outage.tried_until(starting.gives_up, starting.seconds), outage.doing(STARTING):
                try_again(FirstQuestion(self._backend.ask_first, starting.gives_up), outage)
                self._backend.prepare()
                self._membership = Membership(
                    self._backend,
                    self._lease_duration,
                    self._host.executors,
                    self._host.wake,
                    self._past,
                    self._before,
                )
        except Exception as error:
            self._backend.close()
            why = (
                "the scheduler was shut down"
                if starting.is_cancelled
                else f"tried for {max(starting.seconds, round(outage.clock.monotonic() - began)):g} s"
            )
            refusal = self._refusal_of(error, why)
            if refusal is None:
                raise
            raise refusal from error
        return self._membership

    def _refusal_of(self, error: Exception, why: str) -> MainspringError | None:
        """What to raise where this store could not be started, and why it was given up; ``None``: what was raised."""
        failure = self._outage.failure_of(error)
        if isinstance(error, NoAnswerError):
            failure = Failure.OUTAGE
        if failure is None or isinstance(error, MainspringError):
            return None
        words = said_by(error)
        told = f"{self._outage.name} can't be used: {words.rstrip('.')}"
        flaw = self._backend.flaw(error)
        if flaw is not None or not failure.passes:
            return ConfigurationError(f"{told}: {flaw or advice_on(words)}")
        return StoreUnavailableError(f"{told} ({why})")

    def shutdown(self) -> None:
        """Write the outcomes that are there, and leave; later, where runs of this node still go on."""
        self.leave(_LEAVING)

    def leave(self, seconds: float) -> None:
        upkeep = self._upkeep
        if upkeep is None:
            self._backend.close()  # it may have been asked without being started, as in a forked process
            return
        self._is_closing = True
        if self._change_feed is not None:
            self._change_feed.stop()
            self._change_feed = None
        with self._lock:
            is_idle = self._held == 0
        if is_idle:
            upkeep.stop()
            if not upkeep.join(seconds):
                self._logger.warning(
                    "%s could not be left in order: no answer within %.1f s. %d outcomes of runs are not written, and %d runs that were not "
                    "begun are not given back: unless it answers before this process ends, they are recorded as lost by another node when "
                    "this one's lease is over",
                    self._outage.name,
                    seconds,
                    len(self._outcomes),
                    len(self._unbegun),
                )
        super().shutdown()

    def _leave(self) -> None:
        try:
            with self._outage.doing(LEAVING):
                self._write_all_outcomes()
                self._give_unbegun_back()
                if self._membership is not None:
                    self._membership.sign_off()
                    self._before = self._membership.registered
        finally:
            if self._heartbeat is not None:
                self._heartbeat.stop()
                self._heartbeat.join(_LEAVING)
            if self._watch is not None:
                self._watch.stop()
            self._membership = self._upkeep = self._heartbeat = self._watch = None
            self._is_closing = False
            self._outage.forget()
            self._backend.close()

    def _write_all_outcomes(self) -> None:
        try:
            self._outcomes.write_all(self._is_left)
        except Exception:
            self._logger.error(  # noqa: TRY400 - what was raised is told by whoever called this
                "%d outcomes of runs could not be written before the end of this node: these runs will be recorded as lost",
                len(self._outcomes),
            )
            raise

    def _has_ended(self) -> bool:
        """Whether nothing is to be tried again any more."""
        return self._is_left() or not self._host.is_running

    def _is_left(self) -> bool:
        upkeep = self._upkeep  # read once: it goes when the store has been left
        return upkeep is None or upkeep.stopping.is_set()

    @property
    def clock_offset(self) -> timedelta:
        return self._node_context.offset

    def store_time(self, clock: Clock) -> datetime:  # noqa: ARG002 - the store has one, or goes by the scheduler's
        return self._node_context.now()

    def _look_for_dead(self) -> None:
        """Look after other nodes, unless that is done along with polls; and whether what this one runs can go on."""
        self._host.notice_end_of_loop()
        asked = self._node_context.clock.monotonic()
        if self._agenda.is_look_due(asked):
            with self._outage.doing(WATCHING):
                self._apply_status(self._backend.cluster_status(self._node_context.token), asked)

    def _renew(self) -> None:
        if self._membership is None:
            return
        try:
            with self._outage.doing(HEARTBEAT):
                self._membership.renew()
        except ConfigurationError as error:  # a newer release has changed what is kept: somebody has to act
            if self._refusal is None:
                self._logger.error("%s can't be used any more: %s", self._outage.name, error)  # noqa: TRY400 - it says all
            self._refusal = str(error)
        else:
            self._refusal = None

    def _prune(self) -> None:
        with self._outage.doing(PRUNING):
            self._outcomes.prune()
            self._backend.audit.prune(ENTRIES_KEPT)
            self._prune_rollups()

    def _prune_rollups(self) -> None:
        """Once an hour: there is nothing to be removed before that."""
        now = self._node_context.now()
        hour = start_of(now, "hour")
        if hour != self._rollups_pruned:
            self._backend.rollups.prune(kept_since(now), self._outcomes.kept_since(now))
            self._rollups_pruned = hour

    @property
    def trouble(self) -> str | None:
        words = self._refusal or self._outage.words
        membership = self._membership
        if words is None and membership is not None and not membership.lease.is_held():
            return "this node's lease has run out, so that it may claim nothing until it has been renewed"
        return words

    @property
    def namespace(self) -> str:
        return self._node_context.namespace

    def warnings(self) -> Sequence[str]:
        held = self._held_because
        return self._past.sentences if held is None else [*self._past.sentences, f"no job is run: {held}"]

    def has_told(self, error: Exception) -> bool:
        return self._outage.failure_of(error) is not None

    def _apply_status(self, status: ClusterStatus, asked: float) -> None:
        self._agenda.looked(self._node_context.clock.monotonic())
        if status.to_cancel:
            self._host.cancel_here(status.to_cancel, self._outage.alias)
        self._agenda.note_queue_due(status.next_queued)
        if self._unbegun and self._upkeep is not None:
            self._upkeep.flush_soon()  # the store answers again
        somebody_died = False
        membership = self._membership
        if membership is not None:
            somebody_died = membership.reap_expired(status.living, asked)
            self._agenda.look_every(min(membership.shortest_lease / _LOOKS, _LONGEST_LOOK))
        has_reruns = (somebody_died or status.has_orphans) and self._outcomes.collect_lost(self._own_runs)
        self._outage.works(WATCHING)
        if has_reruns or self._agenda.is_queue_due(self._node_context.now()):
            self._host.wake()

    def _own_runs(self) -> set[tuple[str, datetime, int]]:
        """The keys of the runs that go on here, whatever the store says of them."""
        return runs_decided(self._handed_out) | runs_of(
            [*self._host.runs_here(self._outage.alias), *self._unbegun]
        )

    def _flush_progress(self) -> None:
        """Write how far runs say that they are."""
        said, self._said = self._said, {}
        if not said:
            self._outage.works(PROGRESS)
            return
        left: Sequence[tuple[tuple[RunKey, int], str]] = list(said.items())
        try:
            with self._outage.doing(PROGRESS):
                _, left, refused, error = write_in_parts(
                    left,
                    lambda part: self._backend.report_progress(dict(part), self._is_left),
                    self._is_refused,
                    _nothing,
                )
                if refused:
                    self._logger.warning(
                        "%d runs said how far they are, and it can't be stored: %s", len(refused), error
                    )
                if left and error is not None:
                    raise error
        finally:
            if left:
                # What has been said since is newer; and of a run that has ended meanwhile, its outcome says it.
                going_on = self._own_runs()
                for (key, token), text in left:
                    if tuple(key) in going_on:
                        self._said.setdefault((key, token), text)

    def _is_refused(self, error: Exception, _part: Sequence[Any]) -> bool:
        """Whether the store refuses this for what is in it."""
        failure = self._outage.failure_of(error)
        return failure is Failure.TOO_LARGE or (failure is None and self._can_write())

    def _can_write(self) -> bool:
        """Whether something small can be written now: a heartbeat."""
        try:
            self._renew()
        except Exception:  # noqa: BLE001 - that is what is asked
            return False
        return self._membership is not None and self._refusal is None

    def _flush(self) -> None:
        if not self._agenda.flushes() and not self._outcomes.are_kept_back:
            if self._upkeep is not None and (len(self._outcomes) or self._unbegun):
                self._upkeep.flush_soon()
            else:
                self._outage.works(OUTCOMES)  # claims have taken along what there was
            return
        with self._outage.doing(OUTCOMES):
            self._outcomes.write(self._is_left)
            self._give_unbegun_back()
        if self._upkeep is not None and len(self._outcomes):
            self._upkeep.flush_soon()  # a claim was waiting
        queued_from = self._agenda.queue_due
        if queued_from is not None:  # as may follow from an outcome
            self._host.wake_for(queued_from, self._outage.alias)

    def _tell_lost(self, key: RunKey, node: str, retry_at: datetime | None, gave_up: bool) -> None:
        self._host.tell_lost(key, node, retry_at, self._outage.alias, gave_up=gave_up)

    def _tell_paused(self, job: JobRecord) -> None:
        self._host.tell_paused(job, self._outage.alias)

    # Jobs

    def _may_be_id(self, text: str) -> bool:
        """Whether a job, or a group, can have this name here."""
        return is_storable(text) and not (self._backend.pads_ids and text.endswith(" "))

    def _refuse_unknown(self, job_id: str) -> None:
        if not self._may_be_id(job_id):
            raise JobLookupError(job_id)

    def _refuse_unstorable(self, record: JobRecord) -> None:
        refuse_unstorable(record)
        if self._backend.pads_ids:
            refuse_padded(record)

    def add_records(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        for record in records:
            self._refuse_unstorable(record)
        ids = Counter(record.id for record in records)
        for job_id, count in ids.items():
            if count > 1:
                raise ConflictingIdError(job_id)
        if not ids:
            return []
        try:
            kept = self._backend.jobs.add(records, replace)
        finally:
            self._agenda.next_is_unknown()
        if replace is not None:
            for record in kept:
                self._forget(record.id)
        return kept

    def get_record(self, job_id: str) -> JobRecord | None:
        if not self._may_be_id(job_id):
            return None  # no job can have it
        return self._backend.jobs.get(job_id)

    def list_records(self, query: JobQuery = ALL_JOBS) -> list[JobRecord]:
        records: list[JobRecord] = []
        for record in self.list_rows(query):
            if isinstance(record, Unreadable):
                with self._lock:
                    if record.record.id not in self._ledger.parked:
                        self._ledger.park(record.record.id, record.reason, self._node_context.now())
            else:
                records.append(record)
        return records

    def list_rows(self, query: JobQuery = ALL_JOBS) -> Sequence[JobRecord | Unreadable]:
        """`list_records`, with what can't be read in its place in the list."""
        if query.after is not None:
            self._refuse_unknown(query.after)
        if not all(text is None or is_storable(text) for text in (query.tag, query.executor, query.search)):
            return []  # no job can have it
        if query.search is not None and len(query.search) > LONGEST_NAME:
            return []  # databases refuse to look for it, and no job can have it
        if query.group is None and query.owner is None:
            return self._backend.jobs.list_jobs(query)
        return self._rows_of_group_and_owner(query)

    def _rows_of_group_and_owner(self, query: JobQuery) -> Sequence[JobRecord | Unreadable]:
        """`list_rows`, where rows are to be read to know whether they are asked for: page by page, until there are enough."""
        found: list[JobRecord | Unreadable] = []
        page = query._replace(group=None, owner=None, limit=_PAGE)
        while query.limit is None or len(found) < query.limit:
            rows = self._backend.jobs.list_jobs(page)
            found += [row for row in rows if query.is_of_group_and_owner(record_of(row))]
            if len(rows) < _PAGE:
                break
            page = page._replace(after=record_of(rows[-1]).id)
        return found[: query.limit]

    def trust_commands(self, jobs: Iterable[JobRecord]) -> None:
        """From now on let jobs of this store run (`mainspring.commands.run_command`) only what one of these does, where they aren't signed.

        Others are kept, and reported as jobs that can't be read. With a ``signing_key`` all jobs that are read are signed, and this changes nothing.
        """
        context = self._node_context
        context.locks.know_commands(context.writable(job)["arguments"] for job in jobs)

    @names_keywords
    def sign_jobs(
        self, *, dry_run: bool = False, job_ids: Collection[str] | None = None, changed: bool = False
    ) -> list[UnsignedJob]:
        """Sign the jobs that have no signature, or one of another key than the first: those of before there was a key, or of an old one.

        Look at what it would sign first: whoever could write to the database may have added some of it. Nothing of a job is loaded or
        imported to list it. The store need not be started.

        Args:
            dry_run: change nothing, only say which jobs would be signed.
            job_ids: sign these alone.
            changed: also jobs whose signature isn't theirs: they were changed or moved here without a key, or signed with a lost one.

        Returns:
            The jobs that were signed, or would be.

        Raises:
            ConfigurationError: the store has no key.
        """
        if self._node_context.locks.keys is None:
            raise ConfigurationError(
                f"this job store has no signing_key to sign with: give it one, or set {ENVIRONMENT}"
            )
        try:
            return self._signed(job_ids, dry_run=dry_run, changed=changed)
        finally:
            self._close_if_not_started()

    def _close_if_not_started(self) -> None:
        """Close the connections that were opened to ask something of a store that isn't started: nobody will do it later."""
        if self._upkeep is None and not self.serves_one_process:
            self._backend.close()

    def _signed(self, job_ids: Collection[str] | None, *, dry_run: bool, changed: bool) -> list[UnsignedJob]:
        if self._upkeep is None:
            self._backend.prepare()
        with reading_for("newest"):
            ending = self._backend.jobs.list_ending()  # what is tried again of them is to run, too
            listed = [*self._backend.jobs.list_jobs(ALL_JOBS), *ending]
        stays = {one.record.id for one in ending if isinstance(one, Unreadable)}
        found = [
            UnsignedJob(one.record.id, one.record.name, one.record.func_ref or "", one.error.state)
            for one in listed
            if isinstance(one, Unreadable) and isinstance(one.error, UnsignedJobError)
        ]
        found = [
            one
            for one in found
            if (changed or one.state != "changed") and (job_ids is None or one.job_id in job_ids)
        ]
        if dry_run:
            return found
        return [one for one in found if self._sign(one.job_id, is_ending=one.job_id in stays)]

    def _sign(self, job_id: str, *, is_ending: bool) -> bool:
        """Write a job again as it is, with a signature; whether it is still there."""
        try:
            with reading_for("all"):
                if is_ending:
                    return self._backend.jobs.write_ending(job_id)
                self._backend.jobs.change(job_id, lambda job: job._replace(version=job.version + 1))
        except JobLookupError:
            return False
        finally:
            self._forget(job_id)
        return True

    def find_equal(self, record: JobRecord) -> str | None:
        self._refuse_unstorable(record)
        return self._backend.jobs.find_equal(record)

    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        try:
            self._refuse_unknown(job_id)

            def checked(before: JobRecord) -> JobRecord:
                after = change(before)
                self._refuse_unstorable(after)
                return after

            return self._backend.jobs.change(job_id, checked)
        finally:
            self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        """The job was changed or removed: whatever kept it from running here may have gone."""
        self._agenda.next_is_unknown()
        self._agenda.waits_no_more(job_id)
        self._look_into_queue_if_blocked()
        with self._lock:
            self._ledger.forget(job_id)

    def _look_into_queue_if_blocked(self) -> None:
        """Runs that could not be claimed perhaps can now."""
        if self._agenda.is_queue_blocked:
            self._agenda.note_queue_due(self._node_context.now())

    def remove(self, job_id: str) -> None:
        self._refuse_unknown(job_id)
        self._backend.jobs.remove(job_id)
        self._forget(job_id)

    def remove_all(self) -> None:
        self._backend.jobs.remove_all()
        with self._lock:
            self._ledger.parked.clear()
        self._agenda.nothing_waits()
        self._agenda.next_is_unknown()

    def earliest(self) -> JobRecord | None:
        return self._backend.jobs.earliest()

    def _on_remote_change(self) -> None:
        """Another node has changed something."""
        self._agenda.changed_elsewhere()
        self._host.wake()

    # Runs

    def claim(self, now: datetime, decide: Decide, limit: int, executors: Collection[str]) -> ClaimedBatch:
        self._handed_out = ()  # whoever asks again knows what became of it
        with self._outage.doing(CLAIMING):
            return self._claim(now, decide, limit, executors)

    def _claim(self, now: datetime, decide: Decide, limit: int, executors: Collection[str]) -> ClaimedBatch:
        membership, agenda = self._membership, self._agenda
        self._executors = executors = tuple(executors) or ("",)  # no list in SQL may be empty
        if membership is None or not membership.may_claim():
            if self._heartbeat is not None:
                self._heartbeat.call_now(self._renew)
            agenda.may_not_claim(now)
            return ClaimedBatch([], more=False)
        if self._held_because is not None:
            agenda.may_not_claim(now)
            return ClaimedBatch([], more=False)
        unclaimable = self._unclaimable(now, decide, executors)
        self._claimed_at = now
        set_aside = agenda.set_aside(self.parked(), now)
        if not self._is_something_due(now, executors, set_aside, membership):
            return ClaimedBatch(unclaimable, more=False)
        lease = membership.lease
        if membership.was_dead:
            taken_away = [
                submission
                for submission in self._host.runs_here(self._outage.alias)
                if is_taken_away(submission)
            ]
            decide = beside(taken_away, decide) if taken_away else decide
        claimed = self._claimed(now, decide, limit, executors, set_aside, lease)
        claim = claimed.claim
        begun = claimed.in_turn()
        if self._past.is_doubtful:
            self._past.tell_of(begun)
        self._handed_out = begun
        submitted = 0
        for decision in begun:
            if decision.submit:
                decision.lease = lease
                decision.claimed = now if decision.job.options.group is not None else None
                submitted += 1
        with self._lock:
            self._held += submitted
            for decision in claim.parked:
                # A row that can't be read is as it was until somebody does something about it.
                decision.is_told = isinstance(decision.error, SerializationError) and self._ledger.was_told(
                    decision.job.id, decision.reason or ""
                )
                decision.retry_at = self._ledger.park(decision.job.id, decision.reason or "", now)
            for decision in begun if self._ledger.parked else ():
                if decision.submit:
                    self._ledger.tried(
                        decision.job.id, now
                    )  # or its time to be tried again would never be over
                else:
                    self._ledger.moved_on(decision.job.id)
        decisions = [*begun, *claim.parked, *unclaimable]
        more = agenda.claimed(claim.next_time, claim.waiting, now, found=bool(decisions))
        return ClaimedBatch(decisions, more)

    def _is_something_due(
        self, now: datetime, executors: Collection[str], set_aside: Collection[str], membership: Membership
    ) -> bool:
        """Whether a claim is to be made: asks when the next job is due, unless one is known to be, and looks after other nodes along with that."""
        agenda = self._agenda
        asked = self._node_context.clock.monotonic()
        step = agenda.step(now, asked)
        if step.claims:
            return True
        first, status = self._backend.poll(
            now, executors, set_aside, membership.lease.token if step.looks else None
        )
        is_due = agenda.polled(first, now)
        if status is not None:
            self._apply_status(status, asked)
        elif agenda.is_unexpected(first):
            membership.confirm()  # before it claims what a store that was set back has due again
        return is_due

    def _unclaimable(self, now: datetime, decide: Decide, executors: Collection[str]) -> list[Decision]:
        """Jobs that are overdue and name executors that this node doesn't have, told of whenever they are to be tried again, as in any store."""
        with self._lock:
            parked = [self._ledger.parked.get(job_id) for job_id in self._unclaimable_jobs]
        is_tried = any(job is not None and job.retry_at <= now for job in parked)
        if not self._agenda.is_unclaimable_due(now) and not is_tried:
            return []
        found = self._backend.unclaimable(
            shifted(now, -UNCLAIMABLE_AFTER), decide, executors, _UNCLAIMABLE_SHOWN
        )
        ids = {decision.job.id for decision in found}
        with self._lock:
            for job_id in self._unclaimable_jobs - ids:
                self._ledger.forget(job_id)  # a node that has the executor has run it
            self._unclaimable_jobs = ids
            tried = []
            for decision in found:
                before = self._ledger.parked.get(decision.job.id)
                if before is None or before.retry_at <= now:
                    decision.retry_at = self._ledger.park(decision.job.id, decision.reason or "", now)
                    tried.append(decision)
        return tried

    def _claimed(
        self,
        now: datetime,
        decide: Decide,
        limit: int,
        executors: Collection[str],
        set_aside: Collection[str],
        lease: NodeLease,
    ) -> Claimed:
        ended = self._outcomes.drain(self._has_ended)
        queued_from = self._agenda.claiming()
        request = ClaimRequest(now, decide, limit, executors, set_aside, lease.token, ended, queued_from)
        try:
            claimed = self._backend.claim(request, self._has_ended)
        except BaseException:
            if ended:
                self._outcomes.could_not_ride(ended)
                if self._upkeep is not None:
                    self._upkeep.flush_soon()
            self._agenda.note_queue_due(queued_from)
            raise
        self._agenda.queue_claimed(
            claimed.queued_from,
            now,
            looked=request.looks_into_queue,
            is_blocked=bool(claimed.queue.blocked),
            free_at=claimed.queue.free_at,
        )
        if request.looks_into_queue and len(claimed.queue.decisions) < limit:
            self._forget_queued(claimed)
        self._outcomes.tell(claimed.finished)
        return claimed

    def _forget_queued(self, claimed: Claimed) -> None:
        """What queued runs of jobs that can't be run here were said to wait for: of those that wait no more."""
        waiting = claimed.queue.blocked.keys()
        found = {decision.job.id for decision in claimed.claim.parked if decision.run is not None}
        with self._lock:
            for job_id in self._unclaimable_queued - waiting:
                self._ledger.forget_parked(job_id)  # begun elsewhere, or cancelled
            self._unclaimable_queued = (self._unclaimable_queued & waiting) | found

    def finish(self, submissions: Sequence[Submission]) -> bool:
        agenda = self._agenda
        agenda.runs_ended()
        if self._past.is_doubtful:
            self._past.tell_of_ended(submissions)
        self._take_outcomes(submissions)
        was_awaited = agenda.is_queue_blocked
        if was_awaited:
            agenda.note_queue_due(self._node_context.now())
        for submission in submissions if self._said else ():
            for time in submission.run_times:
                self._said.pop(
                    (RunKey(submission.job.id, time, submission.attempt_of(time)), _token_of(submission)),
                    None,
                )
        with self._lock:
            self._let_go(submissions)
            is_last = self._held == 0
            for submission in submissions:
                self._ledger.could_run(submission.job.id)
        if agenda.has_waiting:
            for submission in submissions:
                was_awaited = agenda.waits_no_more(submission.job.id) or was_awaited
            if any(one.job.options.group is not None for one in submissions):
                was_awaited = (
                    agenda.nothing_waits() or was_awaited
                )  # others of the group may have waited for one of them
        upkeep = self._upkeep
        if upkeep is not None:
            if self._is_closing and is_last:
                upkeep.stop()
            else:
                upkeep.flush_soon()
        return was_awaited

    def _take_outcomes(self, submissions: Sequence[Submission]) -> None:
        skipped = [submission for submission in submissions if self._was_skipped(submission)]
        if not skipped:
            self._outcomes.add(submissions)
            return
        with self._lock:
            self._unbegun.extend(filter(None, map(unbegun_part, skipped)))
        for submission in skipped:
            self._outcomes.add_some(submission)
        self._outcomes.add(submission for submission in submissions if submission not in skipped)

    @staticmethod
    def _was_skipped(submission: Submission) -> bool:
        """Whether runs of a submission were not begun, because this node couldn't reach the store."""
        lease = submission.lease
        return isinstance(lease, NodeLease) and lease.take_skipped(submission)

    def _give_unbegun_back(self) -> None:
        """Let any node run what was claimed, and not begun because the store couldn't be reached."""
        with self._lock:
            unbegun = list(self._unbegun)  # they stay this node's own until they are given back
        if not unbegun:
            return
        mine = [one for one in unbegun if _is_nobody_elses(one)]
        self._backend.release(mine, self._is_left)
        self._outcomes.add(
            one for one in unbegun if one not in mine
        )  # others have recorded them as lost, or will
        with self._lock:
            del self._unbegun[: len(unbegun)]
        if mine:
            self._logger.info(
                "%d runs that were not begun while the job store couldn't be reached are given back",
                len(mine),
            )
        self._agenda.next_is_unknown()
        self._agenda.note_queue_due(self._node_context.now())
        self._host.wake()

    def progress(self, submission: Submission) -> None:
        self._outcomes.add_some(submission)
        if self._upkeep is not None:
            self._upkeep.flush_soon()

    def write_outcomes(self) -> None:
        self._outcomes.write(self._is_left)
        self._flush_progress()

    @property
    def has_waiting(self) -> bool:
        return self._agenda.has_waiting

    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        token = 0 if decision.lease is None else decision.lease.token
        reason = decision.reason or EXECUTOR_REFUSED
        with self._lock:
            retry_at = self._ledger.park(decision.job.id, reason, now)
        later = retry_at if decision.requeues else None
        if not self._backend.give_back(decision, token, later):
            with self._lock:
                self._ledger.forget_parked(decision.job.id)
            return None
        self._agenda.note_queue_due(later)
        self._look_into_queue_if_blocked()
        self._agenda.waits_no_more(decision.job.id)
        if decision.job.options.group is not None:
            self._agenda.nothing_waits()  # others of the group may have waited for this one
        with self._lock:
            self._held -= 1
            self._agenda.next_is_unknown()
        return retry_at

    def release(self, submissions: Sequence[Submission]) -> None:
        clock = self._node_context.clock
        deadline = clock.monotonic() + _LEAVING

        def is_over() -> bool:
            return clock.monotonic() > deadline

        def is_refused(error: Exception, part: Sequence[Submission]) -> bool:
            del part
            failure = self._outage.failure_of(error)
            return failure is None or not failure.passes

        try:
            left: Sequence[Submission] = submissions
            attempts = 0
            while left:
                # What can't be given back keeps nothing else from being.
                _, waiting, refused, error = write_in_parts(
                    left, lambda part: self._backend.release(part, is_over), is_refused, _nothing
                )
                left = [*waiting, *refused]
                attempts += 1
                if left and error is not None:
                    if is_over() or attempts > _RELEASE_ATTEMPTS:
                        raise error
                    pause(clock, pause_before_retry(attempts))
        finally:
            with self._lock:
                self._let_go(submissions)

    def _let_go(self, submissions: Sequence[Submission]) -> None:
        """These are not this store's affair any more; each counts once, however often that is said. Needs the lock."""
        for submission in submissions:
            if not submission.is_noted:
                submission.is_noted = True
                self._held -= 1

    def next_time(self) -> datetime | None:
        agenda, claimed_at = self._agenda, self._claimed_at
        # Those whose time had come by the last claim are found as all others are: a time that is over would have it come at once, for ever.
        parked = [job for job in self.parked() if claimed_at is None or job.retry_at > claimed_at]
        if not agenda.knows_next:
            agenda.next_is_asked()
            set_aside = agenda.all_set_aside(job.job_id for job in parked)
            agenda.next_is(self._backend.next_time(self._node_context.now(), self._executors, set_aside))
        return agenda.wake_at(parked)

    def parked(self) -> list[ParkedJob]:
        with self._lock:
            return list(self._ledger.parked.values())

    def retry_parked(self) -> None:
        with self._lock:
            self._ledger.parked.clear()
            self._unclaimable_jobs.clear()
            self._unclaimable_queued.clear()
        self._agenda.next_is_unknown()

    def report_progress(self, submission: Submission, text: str) -> None:
        if submission.lease is not None:
            self._said[submission.key, submission.lease.token] = text

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        for run in runs:
            self._refuse_unknown(run.job_id)
        new = self._backend.enqueue(runs)
        self._agenda.note_queue_due(min((run.available for run in new), default=None))
        return new

    def cancel(self, key: RunKey) -> bool:
        return self._may_be_id(key.job_id) and self._backend.cancel(key)

    def set_group(self, group: Group) -> None:
        if not is_storable(group.name):
            raise ValueError(f"the name of a group has characters that databases can't keep: {group.name!r}")
        if not self._may_be_id(group.name):
            raise ValueError(
                f"the name of the group {group.name!r} ends with a space, which is the same to MySQL and MariaDB as without: leave it out"
            )
        self._backend.set_group(group)
        self._agenda.nothing_waits()
        self._look_into_queue_if_blocked()

    def remove_group(self, name: str) -> bool:
        was_there = self._may_be_id(name) and self._backend.remove_group(name)
        self._agenda.nothing_waits()
        self._look_into_queue_if_blocked()
        return was_there

    def list_groups(self) -> list[Group]:
        return self._backend.list_groups()

    def get_run(self, key: RunKey) -> RunRecord | None:
        if not self._may_be_id(key.job_id):
            return None
        return self._backend.get_run(key)

    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        if job_id is not None and not self._may_be_id(job_id):
            return []
        return self._backend.list_runs(job_id, outcome, since, limit)
