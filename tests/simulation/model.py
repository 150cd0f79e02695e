"""A small model of claim, fence, pause and rescue: one due time, three nodes, and all that can come of it.

A state is plain data, `successors` has all that can happen next, and `search` visits every state. There is no time in it: the lease of a node may lapse
at any moment, which is what a pause, a slow answer and a clock come to, and a node that does nothing for a while is paused. What rests on the order of
two moments of time is one step: whoever stops to trust its lease does so before others may declare it dead.

Not in it: retries, overlaps, several jobs, and what a store does within a transaction. Each of its steps is one transaction, or one act of one node.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NODES = 3
#: Attempts at the due time: the last one that is lost isn't made again.
ATTEMPTS = 2
#: Leases that a node has, one after the other, at most.
LEASES = 2

#: How it is with an attempt by its record.
ABSENT, QUEUED, RUNNING, DONE, LOST = "absent", "queued", "running", "done", "lost"
#: How it is with a run in the hands of a node.
UNSURE, CLAIMED, CALLED, ENDED = "unsure", "claimed", "called", "ended"


class Lease(NamedTuple):
    """The token: the number of a node, and of its registration."""

    node: int
    number: int


class Record(NamedTuple):
    """What the store has of an attempt."""

    state: str = ABSENT
    lease: Lease | None = None


class Held(NamedTuple):
    """What a node has in its hands."""

    attempt: int
    lease: Lease
    state: str


class Node(NamedTuple):
    """What a node knows.

    Attributes:
        number: of its registration.
        trusts: whether it is sure that nobody can have declared it dead.
        hands: what it has claimed.
        lives: whether its process does.
    """

    number: int = 0
    trusts: bool = True
    hands: frozenset[Held] = frozenset()
    lives: bool = True


class State(NamedTuple):
    """All there is."""

    records: tuple[Record, ...]
    nodes: tuple[Node, ...]
    dead: frozenset[Lease] = frozenset()

    def with_node(self, place: int, node: Node) -> State:
        """The same with another node in one place."""
        return self._replace(nodes=(*self.nodes[:place], node, *self.nodes[place + 1 :]))

    def with_record(self, attempt: int, record: Record) -> State:
        """The same with another record of an attempt."""
        at = attempt - 1
        return self._replace(records=(*self.records[:at], record, *self.records[at + 1 :]))

    def record(self, attempt: int) -> Record:
        """Of an attempt, counted from 1."""
        return self.records[attempt - 1]


class Action(NamedTuple):
    """What happens: its name, who does it (``None``: whoever it is doesn't matter), and the attempt."""

    name: str
    node: int | None = None
    attempt: int | None = None


class Rules(NamedTuple):
    """What safety rests on; each can be left out, to see that the model needs it.

    Attributes:
        fences_outcomes: an outcome is taken only from the token that holds the run.
        fences_returns: what wasn't begun is given back only by the token that holds it.
        trusts_before_calls: a function is called only under a lease that is trusted.
        silence_before_death: a node is declared dead only when it can't trust its lease any more.
        death_is_final: a lease that was declared dead isn't renewed.
        waits_for_own: a node doesn't begin beside a run of the same due time that still goes on in it.
        looks_for_claims: a claim whose answer was lost is looked for.
        returns_unbegun: what couldn't begin is given back.
        reruns: a lost run is run again.
    """

    fences_outcomes: bool = True
    fences_returns: bool = True
    trusts_before_calls: bool = True
    silence_before_death: bool = True
    death_is_final: bool = True
    waits_for_own: bool = True
    looks_for_claims: bool = True
    returns_unbegun: bool = True
    reruns: bool = True


ALL_RULES = Rules()


def start(nodes: int) -> State:
    """A time is due, and nobody has it."""
    return State((Record(QUEUED), *[Record()] * (ATTEMPTS - 1)), (Node(),) * nodes)


def successors(state: State, rules: Rules = ALL_RULES) -> Iterator[tuple[Action, State]]:
    """All that can happen next."""
    living = sum(node.lives for node in state.nodes)
    for place, node in enumerate(state.nodes):
        if not node.lives:
            continue
        yield from _of_lease(state, place, node, rules)
        yield from _of_claims(state, place, node, rules)
        for held in node.hands:
            yield from _of_hands(state, place, node, held, rules)
        if living > 1:  # one is left, who can be asked what was lost
            yield Action("kill", place), state.with_node(place, Node(node.number, trusts=False, lives=False))
    yield from _of_the_dead(state, rules)


def _of_lease(state: State, place: int, node: Node, rules: Rules) -> Iterator[tuple[Action, State]]:
    if node.trusts:
        yield Action("lapse", place), state.with_node(place, node._replace(trusts=False))
    elif Lease(place, node.number) not in state.dead or not rules.death_is_final:
        yield Action("renew", place), state.with_node(place, node._replace(trusts=True))
    elif node.number + 1 < LEASES:
        yield (
            Action("register", place),
            state.with_node(place, node._replace(number=node.number + 1, trusts=True)),
        )


def _of_claims(state: State, place: int, node: Node, rules: Rules) -> Iterator[tuple[Action, State]]:
    if not node.trusts or (node.hands and rules.waits_for_own):
        return
    lease = Lease(place, node.number)
    for attempt in range(1, ATTEMPTS + 1):
        if state.record(attempt).state == QUEUED:
            claimed = state.with_record(attempt, Record(RUNNING, lease))
            for seen in (CLAIMED, UNSURE):  # the answer may be lost
                hands = node.hands | {Held(attempt, lease, seen)}
                yield Action("claim", place, attempt), claimed.with_node(place, node._replace(hands=hands))


def _of_hands(
    state: State, place: int, node: Node, held: Held, rules: Rules
) -> Iterator[tuple[Action, State]]:
    attempt = held.attempt
    is_own = state.record(attempt) == Record(RUNNING, held.lease)

    def turned(into: str | None, base: State = state) -> State:
        hands = node.hands - {held} | ({held._replace(state=into)} if into else set())
        return base.with_node(place, node._replace(hands=hands))

    if held.state == UNSURE:
        yield Action("look", place, attempt), turned(CLAIMED if is_own and rules.looks_for_claims else None)
    elif held.state == CLAIMED:
        is_trusted = node.trusts and held.lease.number == node.number
        if is_trusted or not rules.trusts_before_calls:
            yield Action("begin", place, attempt), turned(CALLED)
        else:
            may_return = is_own or not rules.fences_returns
            returned = (
                state.with_record(attempt, Record(QUEUED)) if may_return and rules.returns_unbegun else state
            )
            yield Action("give back", place, attempt), turned(None, returned)
    elif held.state == CALLED:
        yield Action("end", place, attempt), turned(ENDED)
    else:
        may_write = is_own or not rules.fences_outcomes
        written = state.with_record(attempt, Record(DONE)) if may_write else state
        yield Action("write" if may_write else "refuse", place, attempt), turned(None, written)


def _of_the_dead(state: State, rules: Rules) -> Iterator[tuple[Action, State]]:
    for place, node in enumerate(state.nodes):
        lease = Lease(place, node.number)
        others_live = any(other.lives and other.trusts for at, other in enumerate(state.nodes) if at != place)
        # The last lease is lost with its process alone: otherwise it is how few there are that makes a due time wait.
        may_end = not node.lives or node.number + 1 < LEASES
        if (
            lease not in state.dead
            and may_end
            and others_live
            and not (node.trusts and rules.silence_before_death)
        ):
            yield Action("declare dead", place), state._replace(dead=state.dead | {lease})
    for attempt in range(1, ATTEMPTS + 1):
        record = state.record(attempt)
        if (
            record.state == RUNNING
            and record.lease in state.dead
            and _has_rescuer(state, attempt, record.lease)
        ):
            lost = state.with_record(attempt, Record(LOST))
            if attempt < ATTEMPTS and rules.reruns:
                lost = lost.with_record(attempt + 1, Record(QUEUED))
            yield Action("lose", None, attempt), lost


def _has_rescuer(state: State, attempt: int, lease: Lease | None) -> bool:
    """Whether there is a node that may record it as lost."""
    for node in state.nodes:
        has_it = any(held.attempt == attempt and held.lease == lease for held in node.hands)
        if node.lives and node.trusts and not has_it:
            return True
    return False


# What must hold


def broken(state: State) -> str | None:
    """Which promise a state breaks."""
    is_open = [record.state in (QUEUED, RUNNING) for record in state.records]
    if sum(is_open) > 1:
        return "two open records of one due time"
    if not any(is_open) and not is_settled(state):
        return "a due time is lost"
    called = [
        (place, held) for place, node in enumerate(state.nodes) for held in node.hands if held.state == CALLED
    ]
    if sum(held.lease not in state.dead for _, held in called) > 1:
        return "two living runs of one due time"
    if len({place for place, _ in called}) < len(called):
        return "a node runs a due time beside itself"
    return None


def broken_by(before: State, action: Action, after: State) -> str | None:
    """Which promise a step breaks."""
    for attempt in range(1, ATTEMPTS + 1):
        old, new = before.record(attempt), after.record(attempt)
        if old == new:
            continue
        if old.state in (DONE, LOST):
            return "a stale token has changed a record"
        if (
            old.state == RUNNING
            and action.node is not None
            and old.lease is not None
            and action.node != old.lease.node
        ):
            return "a stale token has changed a record"
    if action.name == "begin" and action.attempt is not None:
        record = after.record(action.attempt)
        if record.lease is None or record.lease in after.dead:
            return "a run begins that others may have taken over"
    return None


def is_settled(state: State) -> bool:
    """Whether it is known what became of the due time: it was run, or given up after its last attempt."""
    return any(record.state == DONE for record in state.records) or state.records[-1].state == LOST


class Found(NamedTuple):
    """What a search has found.

    Attributes:
        states: all that can be reached.
        fault: what is broken first; ``None``: nothing.
        steps: how it comes to that.
    """

    states: set[State]
    fault: str | None = None
    steps: tuple[Action, ...] = ()


def search(rules: Rules = ALL_RULES, nodes: int = NODES) -> Found:
    """Visit all states."""
    first = start(nodes)
    came_from: dict[State, tuple[State, Action] | None] = {first: None}
    leads_to: dict[State, list[State]] = {}
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        for action, after in successors(state, rules):
            leads_to.setdefault(after, []).append(state)
            is_new = after not in came_from
            if is_new:
                came_from[after] = (state, action)
                waiting.append(after)
            fault = broken_by(state, action, after) or (broken(after) if is_new else None)
            if fault is not None:
                return Found(set(came_from), fault, (*_steps_to(state, came_from), action))
    stuck = set(came_from) - _can_settle(came_from, leads_to)
    if stuck:
        nearest = next(state for state in came_from if state in stuck)
        return Found(set(came_from), "a due time waits for ever", _steps_to(nearest, came_from))
    return Found(set(came_from))


def _can_settle(
    states: dict[State, tuple[State, Action] | None], leads_to: dict[State, list[State]]
) -> set[State]:
    """The states from which it can still become known what became of the due time."""
    found = {state for state in states if is_settled(state)}
    waiting = list(found)
    while waiting:
        for before in leads_to.get(waiting.pop(), ()):
            if before not in found:
                found.add(before)
                waiting.append(before)
    return found


def _steps_to(state: State, came_from: dict[State, tuple[State, Action] | None]) -> tuple[Action, ...]:
    steps: list[Action] = []
    before = came_from[state]
    while before is not None:
        state, action = before
        steps.append(action)
        before = came_from[state]
    return tuple(reversed(steps))
