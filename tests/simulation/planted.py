"""Mistakes that are planted in the library, one at a time, to see whether the simulator finds them.

Each breaks a rule on which safety rests, in the way in which somebody might who doesn't know the rule. They are of the kind that passes tests of single
calls: each call by itself does what it says, and only an order of events of several nodes, or an answer that is lost, shows what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.engine import membership as membership_rules
from mainspring.engine.leasing import LeaseState
from mainspring.jobstores.shared import claims, store
from mainspring.jobstores.shared.lease import NodeLease
from mainspring.jobstores.shared.membership import Membership
from mainspring.jobstores.shared.outcomes import Outcomes
from mainspring.jobstores.shared.store import SharedJobStore
from mainspring.jobstores.sqlalchemy import nodes as node_table
from mainspring.jobstores.sqlalchemy import statements
from mainspring.jobstores.sqlalchemy.backend import SQLBackend
from mainspring.jobstores.sqlalchemy.outcome_writer import OutcomeWriter
from mainspring.jobstores.sqlalchemy.runs import RunTable
from mainspring.schedulers.reporting import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

#: The first seed whose story shows it. Where stories are made up otherwise, ``python tests/simulation/planted.py`` says which it is then.
CAUGHT_BY: dict[str, int] = {
    "a claim is handed out before its commit": 13,
    "a lost answer to a claim is taken for a failure": 2,
    "a claim is looked for without its token": 13,
    "instances of other nodes do not count": 3,
    "runs that wait are forgotten when a claim fails": 2,
    "a lease is trusted for ever": 13,
    "a lease that was lost is gone on with": 5,
    "others are dead after half of their lease": 18,
    "who lives is not asked again": 6,
    "the dead are left alone": 0,
    "the token is not looked at when an outcome is written": 6,
    "an outcome that could not be written is forgotten": 2,
    "a refused outcome is followed by a retry": 6,
    "a rerun has the number of the lost run": 3,
    "what an executor refuses is not given back": 5,
    "what could not begin is given back though others have it": 5,
    "the lease is not looked at before a run begins": 7,
    "a dead node renews its lease": 7,
    "whoever was away takes the others for silent": 115,
    "a node records as lost what it runs itself": 99,
    "a rerun is run beside what goes on here": 9,
    "who leaves keeps what it has not begun": 8,
    "a cancellation is not looked for": 20,
    "a follower is forgotten if the run before it is lost": 21,
}
#: Those that no story of the first two hundred shows.
NOT_CAUGHT = ("what could not begin is not given back",)

PLANTED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {}


def planted(function: Callable[[pytest.MonkeyPatch], None]) -> Callable[[pytest.MonkeyPatch], None]:
    """Enter a mistake under its name, as words."""
    PLANTED[function.__name__.replace("_", " ")] = function
    return function


# Claims


@planted
def a_claim_is_handed_out_before_its_commit(patch: pytest.MonkeyPatch) -> None:
    def claim(self: Any, request: Any, give_up: Any, step: Any) -> Any:
        taken: list[Any] = []
        try:
            with self.database.writing() as connection:
                taken.append(step(connection, request, may_repeat=True))
        except Exception:
            if not taken:
                raise
        return taken[0]

    patch.setattr(SQLBackend, "_claim", claim)


@planted
def a_lost_answer_to_a_claim_is_taken_for_a_failure(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SQLBackend, "_is_claimed", lambda *_: False)


@planted
def a_claim_is_looked_for_without_its_token(patch: pytest.MonkeyPatch) -> None:
    def is_claimed(self: Any, connection: Any, job_id: str, scheduled: Any, attempt: int, token: int) -> bool:
        return self._is_any(connection, self._is_run(job_id, scheduled, attempt))

    patch.setattr(RunTable, "is_claimed", is_claimed)


@planted
def instances_of_other_nodes_do_not_count(patch: pytest.MonkeyPatch) -> None:
    tokens: list[int] = []
    real_claim = SQLBackend.claim

    def claim(self: Any, request: Any, give_up: Any) -> Any:
        tokens[:] = [request.token]
        return real_claim(self, request, give_up)

    def running(self: Any, connection: Any, job_ids: Any) -> dict[str, int]:
        among, values = self._among(job_ids)
        found = connection.exec_driver_sql(
            f"SELECT job_id, SUM(instances) FROM {self._runs} WHERE outcome IS NULL AND token = {tokens[0]} AND job_id {among} GROUP BY job_id",
            values,
        )
        return {job_id: int(count) for job_id, count in found}

    patch.setattr(SQLBackend, "claim", claim)
    patch.setattr(statements.Statements, "running", running)


@planted
def runs_that_wait_are_forgotten_when_a_claim_fails(patch: pytest.MonkeyPatch) -> None:
    def claimed(
        self: Any, now: Any, decide: Any, limit: int, executors: Any, set_aside: Any, lease: Any
    ) -> Any:
        ended = self._outcomes.drain(self._has_ended)
        queued_from = self._agenda.claiming()
        request = claims.ClaimRequest(
            now, decide, limit, executors, set_aside, lease.token, ended, queued_from
        )
        claimed = self._backend.claim(request, self._has_ended)  # and what it has taken along is lost with it
        self._agenda.queue_claimed(
            claimed.queued_from,
            now,
            looked=request.looks_into_queue,
            is_blocked=bool(claimed.queue.blocked),
            free_at=claimed.queue.free_at,
        )
        self._outcomes.tell(claimed.finished)
        return claimed

    patch.setattr(SharedJobStore, "_claimed", claimed)
    patch.setattr(SQLBackend, "claim", _tried_once(SQLBackend.claim))


def _tried_once(real: Any) -> Any:
    """A claim that isn't tried again by itself."""

    def claim(self: Any, request: Any, _give_up: Any) -> Any:
        return real(self, request, lambda: True)

    return claim


# Leases


@planted
def the_lease_is_not_looked_at_before_a_run_begins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reporter, "may_begin", lambda _self, submission: not submission.is_abandoned)


@planted
def a_lease_is_trusted_for_ever(patch: pytest.MonkeyPatch) -> None:
    forever = property(lambda self: float("-inf") if self.is_lost else float("inf"))
    patch.setattr(LeaseState, "trusted_until", forever)


@planted
def a_lease_that_was_lost_is_gone_on_with(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NodeLease, "lost", lambda _self: None)
    patch.setattr(Membership, "register", _registered_once(Membership.register))


def _registered_once(real: Any) -> Any:
    """A node that keeps the number of its first registration."""

    def register(self: Any) -> None:
        if not hasattr(self, "lease"):
            real(self)

    return register


@planted
def a_dead_node_renews_its_lease(patch: pytest.MonkeyPatch) -> None:
    def renew(
        connection: Any, tables: Any, token: int, _node: Any, _offset: Any, now: Any, beats: Any
    ) -> bool:
        nodes = tables.nodes
        written = connection.execute(
            node_table.update(nodes)
            .where(nodes.c.token == token)
            .values(heartbeat=beats.next(now), state=node_table.ALIVE)
        )
        return bool(written.rowcount == 1)

    patch.setattr(node_table, "renew", renew)


@planted
def others_are_dead_after_half_of_their_lease(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(membership_rules.LivingNode, "lease_seconds", property(lambda self: self.lease / 2000))
    patch.setattr(membership_rules, "LONGEST_GAP", 10.0)
    patch.setattr(membership_rules, "shortest_lease", lambda own, nodes=(): own)


@planted
def whoever_was_away_takes_the_others_for_silent(patch: pytest.MonkeyPatch) -> None:
    def looked(self: Any, asked: float, answered: float, nodes: Any, own: int) -> Any:
        before, self._answered = self._answered, answered
        silences, dead = {}, []
        for node in nodes:
            known = self._silences.get(node.token)
            if known is None or known.heartbeat != node.heartbeat:
                known = membership_rules._Silence(node.heartbeat)
            else:
                known = known._replace(seconds=known.seconds + answered - before)
            if node.token != own and known.seconds >= node.lease_seconds:
                dead.append(node)
            silences[node.token] = known
        self._silences = silences
        return dead

    patch.setattr(membership_rules.Membership, "looked", looked)


@planted
def who_lives_is_not_asked_again(patch: pytest.MonkeyPatch) -> None:
    """Not in the transaction that takes over, but as of the look before the last."""
    seen: dict[int, list[list[int]]] = {}
    real_look = OutcomeWriter.cluster_status

    def look(self: Any, connection: Any, token: int) -> Any:
        found = real_look(self, connection, token)
        looks = seen.setdefault(id(self), [])
        looks.append([node.token for node in found.living])
        del looks[:-2]
        return found

    patch.setattr(OutcomeWriter, "cluster_status", look)
    patch.setattr(OutcomeWriter, "_alive", lambda self, _connection: seen[id(self)][0])


@planted
def the_dead_are_left_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Outcomes, "collect_lost", lambda *_: False)


# Outcomes


@planted
def the_token_is_not_looked_at_when_an_outcome_is_written(patch: pytest.MonkeyPatch) -> None:
    real = statements.SQLiteStatements.finish

    def finish(self: Any, connection: Any, ended: Any) -> int:
        wrapped = _Rewriting(connection, lambda text: text.partition(" AND run.token =")[0])
        return real(self, wrapped, ended)

    patch.setattr(statements.SQLiteStatements, "finish", finish)


class _Rewriting:
    """A connection that has other statements executed than it is given."""

    def __init__(self, connection: Any, rewrite: Callable[[str], str]) -> None:
        self._connection, self._rewrite = connection, rewrite

    def exec_driver_sql(self, statement: str, *values: Any) -> Any:
        return self._connection.exec_driver_sql(self._rewrite(statement), *values)


@planted
def an_outcome_that_could_not_be_written_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Outcomes, "requeue", lambda *_: None)
    patch.setattr(SQLBackend, "finish", _written_once(SQLBackend.finish))


def _written_once(real: Any) -> Any:
    def finish(self: Any, ended: Any, _give_up: Any) -> Any:
        return real(self, ended, lambda: True)

    return finish


@planted
def a_refused_outcome_is_followed_by_a_retry(patch: pytest.MonkeyPatch) -> None:
    def finish(self: Any, connection: Any, ended: Any) -> list[Any]:
        self._statements.finish(connection, [one.written() for one in ended])
        return []

    patch.setattr(RunTable, "finish", finish)
    patch.setattr(RunTable, "unended", lambda _self, _connection, keys: set(map(tuple, keys)))


@planted
def a_node_records_as_lost_what_it_runs_itself(patch: pytest.MonkeyPatch) -> None:
    real = SQLBackend.collect_lost
    patch.setattr(SQLBackend, "collect_lost", lambda self, _own: real(self, set))


@planted
def a_rerun_is_run_beside_what_goes_on_here(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "beside", lambda _taken, decide: decide)


@planted
def a_rerun_has_the_number_of_the_lost_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        RunTable, "next_in_line", lambda _self, _connection, runs: [run._replace(attempt=1) for run in runs]
    )


# What is not begun


@planted
def what_an_executor_refuses_is_not_given_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SQLBackend, "give_back", lambda *_: True)


@planted
def what_could_not_begin_is_not_given_back(patch: pytest.MonkeyPatch) -> None:
    def give_unbegun_back(self: Any) -> None:
        self._unbegun.clear()

    patch.setattr(SharedJobStore, "_give_unbegun_back", give_unbegun_back)


@planted
def what_could_not_begin_is_given_back_though_others_have_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "_is_nobody_elses", lambda _submission: True)
    patch.setattr(RunTable, "_is_submitted", _without_token)


def _without_token(self: Any, decision: Any, _token: int) -> Any:
    runs = self._runs
    return (runs.c.job_id == decision.job.id) & runs.c.scheduled.in_(list(decision.submit))


@planted
def who_leaves_keeps_what_it_has_not_begun(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SQLBackend, "release", lambda *_: None)


# Looking


@planted
def a_cancellation_is_not_looked_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RunTable, "to_cancel", lambda *_: [])


@planted
def a_follower_is_forgotten_if_the_run_before_it_is_lost(patch: pytest.MonkeyPatch) -> None:
    real = OutcomeWriter.collect_lost

    def collect_lost(self: Any, connection: Any, own: Any) -> Any:
        context = self._context
        followed, context.statements.followed = context.statements.followed, lambda _connection: set()
        try:
            return real(self, connection, own)
        finally:
            context.statements.followed = followed

    patch.setattr(OutcomeWriter, "collect_lost", collect_lost)


def _first_seed(name: str, most: int) -> int | None:
    """The first seed whose story shows a mistake."""
    import pytest

    from mainspring.testing.simulation import play, story_of

    with pytest.MonkeyPatch.context() as patch:
        PLANTED[name](patch)
        return next((seed for seed in range(most) if play(story_of(seed)).faults), None)


if __name__ == "__main__":
    for planted_name in PLANTED:
        print(f'    "{planted_name}": {_first_seed(planted_name, 200)},', flush=True)
