"""The world in which a story is played: its time, and whose turn it is.

Nothing in it happens by itself. Each node has parts (its loop, the threads of its store, its workers), and each part says when it has something to do
next. Time goes on to the next such moment; where several parts have something to do at once, a number of the story decides which goes first. A part
that is stopped in the middle of what it does, since its story says so or since it waits before it tries again, stays where it is, and the world goes on
from there until it is over.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from itertools import count
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Any

from mainspring.jobstores.shared.backoff import drawn_from
from mainspring.testing.checker import Span
from mainspring.testing.simulation.actions import take
from mainspring.testing.simulation.chronicle import Chronicle
from mainspring.testing.simulation.nodes import Node
from mainspring.testing.simulation.wire import KilledError

if TYPE_CHECKING:
    from mainspring.model import RunRecord
    from mainspring.testing.checker import Observed
    from mainspring.testing.simulation.stores import Stores
    from mainspring.testing.simulation.stories import Step, Story

START = datetime(2026, 1, 1, tzinfo=UTC)
#: Seconds: short, so that a story in which leases run out is short.
LEASE = 8
#: Whatever is to happen happens within this, once nothing is in the way: a lease runs out, it is seen, and what was lost is run again.
PATIENCE = timedelta(seconds=LEASE + 6)
#: Seconds without trouble at the end of each story.
_CALM = 18
#: And then at most, for what runs to end and to be written.
_LONGEST_RUN = 60
#: More turns at one moment than anything that is due takes.
_MOST_TURNS = 2000
_TICK = timedelta(microseconds=1)


class SpinningError(Exception):
    """Nodes do something again and again, and time doesn't go on."""


class World:
    """Plays one story, once.

    Attributes:
        ticks: microseconds since it began.
        lines: what happened, to be read.
        is_disk_full: whether commits fail for that.
        cancelled: the runs that programs have cancelled, by their identifiers, and when.
    """

    def __init__(self, story: Story, stores: Stores) -> None:
        self.story = story
        self.stores = stores
        self.lease = LEASE
        self.ticks = 0
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.chronicle = Chronicle(self)
        self.nodes: list[Node] = []
        self._steps = iter(story.steps)
        self._tick_ends = 0
        self._random = Random(0)  # noqa: S311 - repeatable
        self._order = count()
        self._numbers = count(1)
        self._away_until = self._full_until = self._deaf_until = 0
        self._outages: list[Span] = []
        self.cancelled: list[tuple[str, datetime]] = []
        self._until = START

    # Time

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self.time_of(self.ticks)

    @property
    def elapsed(self) -> float:
        """Seconds since the story began."""
        return self.ticks / 1e6

    def moment(self) -> datetime:
        """The time, and a little more each time, so that it is known what came first."""
        return self.now + next(self._order) * _TICK

    def after(self, seconds: float) -> int:
        """So many seconds from now, in microseconds since the story began."""
        return self.ticks + round(seconds * 1e6)

    def ticks_of(self, elapsed: float) -> int:
        """Seconds since the story began in microseconds, and not too early."""
        return ceil(elapsed * 1e6 - 1e-3)

    def time_of(self, ticks: int) -> datetime:
        """The time so many microseconds after the story began."""
        return START + timedelta(microseconds=ticks)

    def seconds(self, moment: datetime) -> float:
        """The inverse, in seconds."""
        return (moment.astimezone(UTC) - START).total_seconds()

    def tell(self, line: str) -> None:
        """Note what happens."""
        self.lines.append(f"{self.elapsed:9.3f}  {line}")

    # What is the matter

    @property
    def is_away(self) -> bool:
        """Whether nobody can reach the store."""
        return self.ticks < self._away_until

    @property
    def is_disk_full(self) -> bool:
        """Whether nothing can be written."""
        return self.ticks < self._full_until

    def outage(self, seconds: float, *, is_full: bool = False) -> None:
        """Nobody can reach the store, or write to it, for so many seconds."""
        until = self.after(seconds)
        if is_full:
            self._full_until = max(until, self._full_until)
        else:
            self._away_until = max(until, self._away_until)
        self._outages.append(Span(self.now, self.time_of(until)))

    def lose_announcements(self, seconds: float) -> None:
        """Nobody is told of changes for so many seconds."""
        self._deaf_until = max(self.after(seconds), self._deaf_until)

    def announce(self, by: Node) -> None:
        """A node has told the others that it has changed something."""
        if self.ticks >= self._deaf_until:
            for node in self.nodes:
                node.has_news = node.has_news or node is not by

    def start_node(self) -> None:
        """Another node comes."""
        node = Node(self, next(self._numbers))
        self.nodes.append(node)
        node.is_busy += 1
        try:
            node.start()
        except KilledError:
            return
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being started
            self.tell(f"{node.name} can't be started: {error}")
            node.kill()
        finally:
            node.is_busy -= 1

    def free_nodes(self) -> list[Node]:
        """Those that can be asked to do something now."""
        return [
            node
            for node in self.nodes
            if not (node.is_dead or node.is_leaving or node.is_busy) and self.ticks >= node.stopped_until
        ]

    # Playing

    def play(self) -> None:
        """Take all steps, and let what was begun come to its end."""
        log = _Log(self)
        logger = logging.getLogger("apscheduler")
        level, propagates, is_disabled = logger.level, logger.propagate, logger.disabled
        logger.addHandler(log)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        try:
            with drawn_from(Random(0)):  # noqa: S311 - repeatable
                for _ in range(self.story.nodes):
                    self.start_node()
                self.go_on_until(None)
                self._calm_down()
        finally:
            logger.removeHandler(log)
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagates, is_disabled

    def _calm_down(self) -> None:
        """Nothing more goes wrong, and there is a node."""
        self.tell("nothing more goes wrong")
        for node in self.nodes:
            if node.place.wire is not None:
                node.place.wire.calm_down()
            node.held_until.clear()
            for executor in node.executors.values():
                executor.refusals = 0
        ends = [self._away_until, self._full_until, *(node.cut_until for node in self.nodes)]
        ends += [node.stopped_until for node in self.nodes if not node.is_dead]
        self._pass_time(max(self.ticks, *ends))
        if not any(not node.is_dead and not node.is_leaving for node in self.nodes):
            self.start_node()
        self._pass_time(self.after(_CALM))
        self._until = self.now
        for node in self.nodes:
            node.end_runs()
        latest = self.after(_LONGEST_RUN)
        while self.ticks < latest and any(node.is_running for node in self.nodes):
            self._pass_time(self.after(0.5))
        self._pass_time(self.after(1))

    def go_on_until(self, ticks: int | None) -> None:
        """Go on with the story until a moment; ``None``: until its end."""
        while ticks is None or self.ticks < ticks:
            if self.ticks < self._tick_ends:
                self._pass_time(self._tick_ends if ticks is None else min(self._tick_ends, ticks))
                continue
            one = next(self._steps, None)
            if one is not None:
                self._take(one)
            elif ticks is None:
                return
            else:
                self._pass_time(ticks)

    def _take(self, one: Step) -> None:
        self.tell(f"--- {one}")
        if one.name == "tick":
            self._tick_ends = self.after(one.values["seconds"])
            self._random = Random(one.values.get("order", 0))  # noqa: S311 - repeatable
        else:
            take(self, one)

    def _pass_time(self, until: int) -> None:
        turns = 0
        while True:
            found = [
                (at, node, part) for node in self.nodes if not node.is_away for at, part in node.next_turns()
            ]
            due = [(node, part) for at, node, part in found if at <= self.ticks]
            if due:
                turns += 1
                if turns > _MOST_TURNS:
                    parts = [(node.name, part) for node, part in due]
                    raise SpinningError(f"at {self.elapsed} s there is always something to do: {parts}")
                node, part = due[0] if len(due) == 1 else self._random.choice(due)
                node.take_turn(part)
                continue
            if self.ticks >= until:
                return
            turns = 0
            self.ticks = min([until, *(at for at, _, _ in found)])
            self._order = count()

    # What came of it

    def living_names(self) -> set[str]:
        """The names of the nodes that are there still."""
        return {node.name for node in self.nodes if not node.is_dead}

    def runs(self) -> list[RunRecord]:
        """The history, as a node that lives has it."""
        node = next(node for node in self.nodes if not node.is_dead and not node.is_leaving)
        return node.scheduler.get_runs(limit=100_000)

    def observed(self) -> Observed:
        """All that the checker is to know."""
        is_unsure = any(node.was_killed or node.was_silent for node in self.nodes)
        calls = [
            call
            for node in self.nodes
            for executor in node.executors.values()
            for call in executor.all_calls()
        ]
        return self.chronicle.observed(
            since=START,
            until=self._until,
            runs=self.runs(),
            calls=calls,
            nodes=[node.life for node in self.nodes],
            events=None if is_unsure else [event for node in self.nodes for event in node.heard.events],
            outages=self._outages,
            patience=PATIENCE,
        )

    def close(self) -> None:
        """The story is over."""
        for node in self.nodes:
            node.close()
        self.stores.close()


class _Log(logging.Handler):
    """Notes what the nodes log; an error that was not foreseen is a fault."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.WARNING)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Note one line."""
        text = record.getMessage()
        self._world.tell(f"log: {text[:200]}")
        if record.exc_info and record.exc_info[1] is not None and not _is_foreseen(text):
            error: Any = record.exc_info[1]
            self._world.errors.append(f"{text}: {type(error).__name__}: {error}")


#: What is told, with what was raised, of what a story has made go wrong.
_FORESEEN = ("Error submitting job", "can't be run for now")


def _is_foreseen(text: str) -> bool:
    return any(words in text for words in _FORESEEN)
