"""A node of a simulation: a real scheduler over a real store, whose threads are parts that get their turns from the simulator."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from mainspring.events import EVENT_EVERY
from mainspring.schedulers.stopping import Alarms
from mainspring.testing.checker import NodeLife, Span
from mainspring.testing.manual import ManualScheduler
from mainspring.testing.recorder import EventRecorder
from mainspring.testing.simulation.wire import KilledError
from mainspring.testing.simulation.work import SimulatedExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta, tzinfo
    from threading import Event

    from mainspring.jobstores.shared.upkeep import Runner, Upkeep
    from mainspring.testing.simulation.world import World

#: What the threads of a store are called in a story.
_PARTS = {"mainspring-lease": "lease", "mainspring-store": "store", "mainspring-watch": "watch"}


#: Silence for this part of its lease may cost a node the lease: there is a quarter of it between two heartbeats.
_SHORTEST_SILENCE = 0.5


#: Time goes on by a microsecond at least.
_LEAST = 1e-6


class NodeClock:
    """The clock of one node: the world's, unless somebody has set its wall time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._world = node.world
        self.is_off_by: timedelta | None = None

    def now(self, timezone: tzinfo = UTC) -> datetime:
        """The wall time."""
        now = self._world.now
        if self.is_off_by is not None:
            now += self.is_off_by
        return now if timezone is UTC else now.astimezone(timezone)

    def monotonic(self) -> float:
        """Seconds since the story began."""
        return self._world.elapsed

    def wait(self, event: Event, timeout: float | None) -> bool:  # noqa: ARG002 - as clocks have it
        """Nobody waits: whoever would is given its turn when it is time."""
        return event.is_set()

    def pause(self, seconds: float) -> None:
        """What failed is tried again after so many seconds, in which other nodes go on."""
        self._node.stop_here(seconds, why=None)


class SimulatedAlarms(Alarms):
    """Time-outs, and the second in which a run has to end that is told to, by the simulated clock."""

    def __init__(self, clock: NodeClock) -> None:
        self._clock = clock
        self._alarms_by_time: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._alarms_by_time)

    def add(
        self,
        seconds: float,
        call: Callable[[], None],
        is_needed: Callable[[], bool] = lambda: True,  # noqa: ARG002
    ) -> None:
        """See `Alarms.add`."""
        heappush(self._alarms_by_time, (self._clock.monotonic() + seconds, next(self._numbers), call))

    def clear(self) -> None:
        """See `Alarms.clear`."""
        self._alarms_by_time.clear()

    @property
    def next_turn(self) -> float | None:
        """When the next one is due, in seconds since the story began."""
        return self._alarms_by_time[0][0] if self._alarms_by_time else None

    def take_turn(self) -> None:
        """Call the next one."""
        heappop(self._alarms_by_time)[2]()


class Turns:
    """In the place of a store's thread: calls what is due when the simulator gives it a turn."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep
        self._at: float | None = None
        self.part = next(part for name, part in _PARTS.items() if upkeep.name.startswith(name))

    def start(self) -> None:
        """Begin to."""
        self._at = 0.0

    def join(self, timeout: float) -> bool:  # noqa: ARG002 - there is nothing to wait for
        """Come to the end."""
        while self._at is not None and self._upkeep.changed.is_set():
            self.take_turn()
        return self._at is None  # otherwise nobody has told it to stop

    @property
    def next_turn(self) -> float | None:
        """When something is due next, in seconds since the story began; ``None``: it has ended."""
        return 0.0 if self._at is not None and self._upkeep.changed.is_set() else self._at

    def take_turn(self) -> None:
        """Do what is due."""
        self._at, now = None, self._upkeep.clock.monotonic()
        left = self._upkeep.run_due()
        if left is not None:
            self._at = now + (max(left, _LEAST) if left else 0.0)


class SimulatedScheduler(ManualScheduler):
    """A scheduler whose loop and threads get their turns from the simulator."""

    def __init__(self, node: Node, **options: Any) -> None:
        self._node = node
        super().__init__(clock=node.clock, **options)

    def _create_alarms(self) -> Alarms:
        return self._node.alarms

    def _upkeep_runner(self, upkeep: Upkeep) -> Runner:
        turns = Turns(upkeep)
        if turns.part != "watch":  # which only tells of what takes long by the real clock
            self._node.turns[turns.part] = turns
        return turns

    def _run_aside(self, work: Callable[[], None]) -> None:
        self._node.asides.append(work)

    @property
    def next_turn(self) -> float | None:
        """When its loop comes back, in seconds since the story began."""
        if self._is_woken:
            return 0.0
        left = self._passes.seconds_left()
        return None if left is None else self.clock.monotonic() + left

    def take_turn(self) -> None:
        """Make one pass."""
        self._is_woken = False
        self._process_jobs()

    def tell_listeners(self) -> None:
        """Deliver the events that there are."""
        self._calls.drain()


class Node:
    """One process.

    Attributes:
        name: as in the records of its runs.
        is_dead: whether it was killed, or has left.
        was_killed: whether it was killed, perhaps while it left.
        part: which of its parts does something; ``"call"``: a program.
        stopped_until: in microseconds of the simulation; it gets no turn before.
    """

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.name = f"n{number}"
        self.clock = NodeClock(self)
        self.alarms = SimulatedAlarms(self.clock)
        self.turns: dict[str, Turns] = {}
        self.asides: list[Callable[[], None]] = []
        self.is_started = self.is_dead = self.was_killed = self.is_leaving = self.has_news = False
        self.is_busy = 0  # how deep it is in what it does, stopped or waiting
        self.stopped_until = self.cut_until = 0
        self.part = "start"
        self.held_until: dict[str, int] = {}
        self.heard = EventRecorder()
        self.began = world.now
        self.ended: datetime | None = None
        self.gaps: list[Span] = []
        self.executors = {"default": SimulatedExecutor(self, 4), "small": SimulatedExecutor(self, 1)}
        self.place = world.stores.open(self)
        self.scheduler = SimulatedScheduler(
            self, jobstores={"default": self.place.store}, executors=self.executors
        )
        self.scheduler.add_listener(self.heard, EVENT_EVERY)
        self.scheduler.add_listener(world.chronicle.heard, EVENT_EVERY)

    def start(self) -> None:
        """Start its scheduler.

        Raises:
            Exception: what the scheduler raises.
        """
        self.is_started = True
        self.scheduler.start()
        self.scheduler.tell_listeners()

    @property
    def is_cut_off(self) -> bool:
        """Whether it can't reach the store."""
        return self.world.is_away or self.world.ticks < self.cut_until

    # Turns

    @property
    def is_away(self) -> bool:
        """Whether no part of it gets a turn now."""
        if self.is_leaving and not self.is_busy and not self.is_dead and self._has_left():
            self.is_dead, self.ended = True, self.world.now
        return self.is_dead or self.is_busy > 0

    def next_turns(self) -> Iterator[tuple[int, str]]:
        """When each of its parts has something to do, in microseconds, and which."""
        held, stopped, ticks_of = self.held_until, self.stopped_until, self.world.ticks_of
        for part, at in self._parts():
            if at is not None:
                earliest = max(stopped, held[part]) if part in held else stopped
                yield max(ticks_of(at), earliest), part

    def _parts(self) -> Iterator[tuple[str, float | None]]:
        yield "pass", self.scheduler.next_turn
        for part, turns in self.turns.items():
            yield part, turns.next_turn
        for executor in self.executors.values():
            if not executor.is_idle:
                yield "work", executor.next_turn
        if len(self.alarms):
            yield "alarms", self.alarms.next_turn
        if self.has_news:
            yield "feed", 0.0
        if self.asides:
            yield "aside", 0.0

    @property
    def is_running(self) -> bool:
        """Whether it runs something."""
        return not self.is_dead and not all(executor.is_idle for executor in self.executors.values())

    def take_turn(self, part: str) -> None:
        """Give one of its parts a turn."""
        self.part = part
        with suppress(KilledError):
            if part == "pass":
                self.scheduler.take_turn()
            elif part == "work":
                executors = [one for one in self.executors.values() if one.next_turn is not None]
                min(executors, key=lambda one: one.next_turn or 0).take_turn()
            elif part == "alarms":
                self.alarms.take_turn()
            elif part == "feed":
                self.has_news = False
                self.place.tell_of_change()
            elif part == "aside":
                self.asides.pop(0)()
            else:
                self.turns[part].take_turn()
            self.scheduler.tell_listeners()

    def stop_here(self, seconds: float, why: str | None = "is stopped") -> None:
        """It does nothing for so many seconds, in the middle of what it does, and the others go on.

        Args:
            why: what is told of it; ``None``: nothing.
        """
        world, began = self.world, self.world.now
        if why is not None:
            world.tell(f"{self.name} {why} for {seconds:g} s in the middle of what it does")
        self.is_busy += 1
        try:
            world.go_on_until(world.after(seconds))
        finally:
            self.is_busy -= 1
        if not self.is_dead:
            self.was_stopped(began)

    def stop(self, seconds: float) -> None:
        """It gets no turn for so many seconds."""
        self.stopped_until = max(self.stopped_until, self.world.after(seconds))
        self.gaps.append(Span(self.world.now, self.world.time_of(self.stopped_until)))
        if seconds >= self.world.lease * _SHORTEST_SILENCE:
            for executor in self.executors.values():
                executor.cut_off(self.world.now)

    def end_runs(self) -> None:
        """Begin nothing more."""
        if not (self.is_dead or self.is_leaving):
            self.scheduler.pause()

    def was_held(self, part: str, seconds: float) -> None:
        """One of its parts gets no turn, or can do nothing, for so many seconds."""
        if part in {"pass", "lease"}:
            self.gaps.append(Span(self.world.now, self.world.time_of(self.world.after(seconds))))
        if part == "lease" and seconds >= self.world.lease * _SHORTEST_SILENCE:
            for executor in self.executors.values():
                executor.cut_off(self.world.now)

    def was_stopped(self, began: datetime) -> None:
        """It did nothing from then on until now."""
        self.gaps.append(Span(began, self.world.now))
        if (self.world.now - began).total_seconds() >= self.world.lease * _SHORTEST_SILENCE:
            for executor in self.executors.values():
                executor.cut_off(began)

    # Ends

    def kill(self) -> None:
        """Its process ends at once."""
        if not self.is_dead:
            self.is_dead = self.was_killed = True
            self.ended = self.world.now
            self.world.tell(f"{self.name} is killed")

    def leave(self) -> None:
        """It is shut down; what runs goes on, and then its process ends."""
        self.is_leaving = True
        self.scheduler.shutdown(wait=False)
        self.scheduler.tell_listeners()

    def _has_left(self) -> bool:
        is_idle = all(executor.next_turn is None for executor in self.executors.values())
        return is_idle and all(turns.next_turn is None for turns in self.turns.values())

    def close(self) -> None:
        """The story is over."""
        if not self.is_dead and not self.is_leaving:
            self.is_started = False  # nothing is to go wrong any more
            self.scheduler.shutdown(wait=False)
        self.is_dead = True
        self.place.close()

    @property
    def was_silent(self) -> bool:
        """Whether it may have been taken for dead while it lived: then it and others tell of the same runs, each as it knows."""
        shortest = self.world.lease * _SHORTEST_SILENCE
        return any(gap.end is None or (gap.end - gap.start).total_seconds() >= shortest for gap in self.gaps)

    @property
    def life(self) -> NodeLife:
        """What the checker is told of it."""
        return NodeLife(self.began, self.ended, name=self.name, stopped=self.gaps)
