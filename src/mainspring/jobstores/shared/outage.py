"""What a store can't do at present: told in the log in one stream for all who find out, and to `health()`.

An outage begins with the first failure that isn't somebody else's lock, and is over when everything that failed has worked again. What
has failed is known by activity: claims may fail while heartbeats, which take no room on a full disk, go on.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import Lock, get_ident, local
from typing import TYPE_CHECKING

from mainspring.clock import REAL_CLOCK, clock_of  # noqa: TID251 - an answer is waited for in real time
from mainspring.errors import safe_str
from mainspring.forks import leaves_to_parent
from mainspring.jobstores.shared.failures import Failure
from mainspring.masking import without_secrets
from mainspring.safe_logging import safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from mainspring.clock import Clock

#: Seconds after which it is said again that a store still fails.
REMIND_AFTER = 60.0
#: The same, while a scheduler is being started.
REMIND_AT_START_AFTER = 10.0
#: Seconds for which others may be in the way before that is said.
PATIENCE_WITH_OTHERS = 2.0
#: Seconds for which all must have worked before an outage is said to be over: on a disk that is about to be full some writes have room.
SETTLED_AFTER = 1.0
#: Seconds after which a step that has no answer yet counts as trouble.
SLOW_AFTER = 5.0

CLAIMING = "claim due runs"
HEARTBEAT = "renew the lease of this node"
OUTCOMES = "write what became of runs"
WATCHING = "look after other nodes"
PROGRESS = "write how far runs are"
PRUNING = "remove old history"
LEAVING = "leave in good order"
STARTING = "be started"
_CALL = "answer a call"

_WHY = {
    Failure.CONFLICT: "others are in the way for long",
    Failure.OUTAGE: "it can't be reached, or gives no answer",
    Failure.CHANGED: "it isn't where or what it was, as after a failover, and is asked on new connections",
    Failure.FULL: "it has no room left",
    Failure.TOO_LARGE: "it takes nothing of that size",
    Failure.PERMANENT: "it is set up in a way that trying again doesn't mend",
}
_WHY_AT_START = {
    **_WHY,
    Failure.CHANGED: "there is no host of that name (yet), or it can't take changes now, as a standby",
}
#: What drivers add to what was said: pymongo all that it knows of its servers, libpq a question.
_ADDITIONS = (
    ", Timeout: ",
    " (configured timeouts: ",
    "Is the server running on that host",
    "Is the server running locally",
)
_LONGEST_WORDS = 400


def said_by(error: BaseException) -> str:
    """What a server or driver has said, in one line, without statements, parameters and passwords."""
    original = getattr(error, "orig", None) or error
    text = safe_str(original)
    match original.args:
        case (int(number), str(said)):  # as drivers of MySQL raise it
            text = f"{said} ({number})"
    for addition in _ADDITIONS:
        text = text.partition(addition)[0]
    line = without_secrets(" ".join(text.split())) or type(error).__name__
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}…"


def _unanswered(activity: str, seconds: float) -> str:
    return f"can't {activity}: no answer for {seconds:.0f} s"


class Outage:
    """Who fails at what, of one store. Its methods may be called from any thread.

    Args:
        failure_of: what kind of failure an error is; ``None``: one that isn't the database's.
        where: the URL, without password.

    Attributes:
        alias: of the store; empty before its start.
        clock, logger: the scheduler's, from the start on.
        instead_of_waiting: asked by a thread that makes a call: what to do instead, where that thread is an event loop's.
        answer_clock: by which answers are waited for, whatever the scheduler's clock does meanwhile.
    """

    def __init__(self, failure_of: Callable[[Exception], Failure | None], where: str) -> None:
        self.failure_of = failure_of
        self.where = where
        self.alias = ""
        self.clock: Clock = clock_of(None)
        self.answer_clock: Clock = REAL_CLOCK
        self.instead_of_waiting: Callable[[], str | None] = lambda: None
        self.logger: logging.Logger = safe_logger(__name__)
        self._begin_in_process()
        leaves_to_parent(self)

    def _begin_in_process(self) -> None:
        self._own = local()
        self._lock = Lock()
        self._failing: dict[Hashable, str] = {}  # what was said to whom
        self._last_call_failed: str | None = None
        self._under_way: dict[tuple[str, int], float] = {}
        self._unanswered: set[str] = set()  # those of them that have only had no answer
        self._since: float | None = None
        self._works_since: float | None = None
        self._said_at = 0.0
        self._kinds: set[Failure] = set()

    def leave_to_parent(self) -> None:
        """In a forked process: what has failed was asked by others."""
        self._begin_in_process()

    @property
    def name(self) -> str:
        """The store, as people are told of it."""
        return f"Job store {self.alias!r} ({self.where})" if self.alias else f"The job store {self.where}"

    @property
    def words(self) -> str | None:
        """What the store can't do at present, and why; ``None``: nothing is known to be wrong."""
        with self._lock:
            for said in self._failing.values():
                return said
            if self._last_call_failed is not None:
                return self._last_call_failed
        return next((_unanswered(activity, seconds) for (activity, _), _, seconds in self._slow()), None)

    def _slow(self) -> list[tuple[tuple[str, int], float, float]]:
        """What has had no answer for long; since when, by the clock for answers, and for how many seconds."""
        now = self.answer_clock.monotonic()
        under_way = list(self._under_way.items())
        return [(key, began, now - began) for key, began in under_way if now - began > SLOW_AFTER]

    def look_for_slow(self) -> None:
        """Tell of what has had no answer for long, and of an outage that is over.

        To be called now and then, by a thread that waits for nothing else.
        """
        now = self.clock.monotonic()
        if self._since is not None:
            with self._lock:
                over = self._ended()
            self._say_over(over)
        for key, began, seconds in self._slow():
            words = _unanswered(key[0], seconds)
            with self._lock:
                if self._under_way.get(key) != began or key[0] in self._failing.keys() - self._unanswered:
                    continue  # it has just ended; or it has failed, and is being tried again
                self._unanswered.add(key[0])
                self._failing[key[0]] = words
                is_said = self._is_to_be_said(now - seconds, now, Failure.OUTAGE, REMIND_AFTER)
            if is_said:
                self.logger.warning("%s %s. It is waited for", self.name, words)

    # What is tried, and for how long

    @contextmanager
    def doing(self, activity: str) -> Iterator[None]:
        """What is done within is this, as far as the calling thread does it; it has worked if nothing is raised."""
        own = self._own
        before = getattr(own, "activity", None)
        began = self.clock.monotonic()
        key = (activity, get_ident())
        own.activity = activity
        self._under_way[key] = self.answer_clock.monotonic()
        try:
            yield
        except Exception as error:
            failure = self.failure_of(error)
            if failure is not None:
                self.failed(error, failure, self.clock.monotonic() - began)
            raise
        else:
            self._under_way.pop(key, None)
            self.works(activity)
        finally:
            own.activity = before
            self._under_way.pop(key, None)

    @contextmanager
    def tried_until(self, give_up: Callable[[], bool], seconds: float) -> Iterator[None]:
        """Have what the calling thread does within given up when this says so, after so many seconds."""
        self._own.give_up, self._own.seconds = give_up, seconds
        try:
            yield
        finally:
            self._own.give_up = self._own.seconds = None

    @property
    def give_up(self) -> Callable[[], bool] | None:
        """What `tried_until` was given by the calling thread."""
        found: Callable[[], bool] | None = getattr(self._own, "give_up", None)
        return found

    # What is heard

    def failed(
        self, error: Exception, failure: Failure, seconds: float, call: Hashable = None, *, again: bool = True
    ) -> None:
        """A step has failed.

        Args:
            seconds: for which it has been tried.
            call: which call of a program it belongs to, where it is none of the store's own activities.
            again: whether it will be tried again.
        """
        if failure is Failure.TOO_LARGE or (failure is Failure.CONFLICT and seconds < PATIENCE_WITH_OTHERS):
            return  # routine, and somebody else's affair
        activity, limit = getattr(self._own, "activity", None), getattr(self._own, "seconds", None)
        why = (_WHY_AT_START if activity == STARTING else _WHY)[failure]
        words = f"can't {activity or _CALL}: {why}: {said_by(error)}"
        now = self.clock.monotonic()
        with self._lock:
            if activity is not None:
                self._failing[activity] = words
                self._unanswered.discard(activity)
            elif again:
                self._failing[call] = words
            else:
                self._failing.pop(call, None)
                self._last_call_failed = words
            remind_after = REMIND_AFTER if limit is None else REMIND_AT_START_AFTER
            if not self._is_to_be_said(now - seconds, now, failure, remind_after):
                return
            since = now if self._since is None else self._since
        if limit is not None and not again:
            return  # whoever starts the store is told, by what is raised
        if limit is not None:
            then = f"It is tried for {limit:g} s"
        elif again or activity is not None:
            then = "It is tried again, with growing pauses, until it works"
        else:
            then = "The call is given up"
        self.logger.log(
            logging.ERROR if failure is Failure.PERMANENT else logging.WARNING,
            "%s %s. %s; it has failed for %.0f s so far",
            self.name,
            words.rstrip("."),
            then,
            now - since,
        )
        self.logger.debug("What was raised:", exc_info=error)

    def _is_to_be_said(self, since: float, now: float, failure: Failure, remind_after: float) -> bool:
        """Whether a failure is news, or has not been told of for long. Needs the lock."""
        self._works_since = None
        is_first = self._since is None
        if self._since is None:
            self._since = since
        if not is_first and failure in self._kinds and now - self._said_at < remind_after:
            return False
        self._said_at = now
        self._kinds.add(failure)
        return True

    def works(self, activity: str) -> None:
        """An activity has worked, or has nothing more to do."""
        # Also where nothing has failed: it may just be being said of this activity that it had no answer.
        with self._lock:
            self._failing.pop(activity, None)
            self._unanswered.discard(activity)
            if activity == HEARTBEAT:
                self._last_call_failed = None
            over = self._ended()
        self._say_over(over)

    def call_ended(self, call: Hashable) -> None:
        """A call of a program that had failed has worked."""
        with self._lock:
            self._failing.pop(call, None)
            self._last_call_failed = None
            over = self._ended()
        self._say_over(over)

    def _ended(self) -> float | None:
        """For how long it has failed, if it has worked for long enough now to say that it works. Needs the lock."""
        if self._failing or self._last_call_failed is not None or self._since is None:
            return None
        now = self.clock.monotonic()
        if self._works_since is None:
            self._works_since = now
        if now - self._works_since < SETTLED_AFTER:
            return None
        seconds = self._works_since - self._since
        self._since = self._works_since = None
        self._kinds.clear()
        return seconds

    def _say_over(self, seconds: float | None) -> None:
        if seconds is not None:
            self.logger.info("%s works again, after %.0f s", self.name, seconds)

    def forget(self) -> None:
        """The store was left, or is started anew: what was is over."""
        with self._lock:
            self._failing.clear()
            self._unanswered.clear()
            self._last_call_failed = self._since = self._works_since = None
            self._kinds.clear()

    @property
    def is_own_activity(self) -> bool:
        """Whether the calling thread does one of the store's own activities, and no call of a program."""
        return getattr(self._own, "activity", None) is not None
