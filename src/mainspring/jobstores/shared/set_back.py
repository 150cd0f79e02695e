"""What people are told of a store that was set back, in the log and by `health()`. The rules are in `mainspring.engine.setbacks`."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring.model import run_id
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.engine.setbacks import SetBack, Unused
    from mainspring.jobstores.shared.outage import Outage
    from mainspring.model import Submission

#: So many runs are named in one line at most.
_NAMED = 20
#: It is said of a start after all nodes left in good order, if that was longer ago.
_LONG_AGO = timedelta(minutes=1)


class Past:
    """What one node knows of what its store doesn't.

    Args:
        outage: of the store, which has its name and logger.
    """

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._set_back: SetBack | None = None
        self._sentences: list[str] = []

    @property
    def sentences(self) -> Sequence[str]:
        """For `health()`."""
        return tuple(self._sentences)

    @property
    def is_doubtful(self) -> bool:
        """Whether what is due may have been run before."""
        return self._set_back is not None

    def was_set_back(self, found: SetBack, node_name: str) -> None:
        """The store was set back."""
        self._set_back = found
        to = "knows nobody any more" if found.to is None else f"holds what it held at {_shown(found.to)}"
        self._say(
            logging.WARNING,
            f"was set back, as by a backup that was restored: it {to}, and had been told more until {_shown(found.told)}. What was done since is "
            "not in it: jobs are as they were then, runs that have ended since are not in its history, and what was due since may be run a second "
            f"time. Noticed at {_shown(found.noticed)} by node {node_name}, which goes on as a new one",
        )

    def was_unused(self, found: Unused, now: datetime) -> None:
        """Nobody had used the store when this node came."""
        ago = f"since {_shown(found.since)}, for {_rounded(now - found.since)}"
        if found.silent:
            who = ", ".join(found.silent[:_NAMED])
            self._say(
                logging.WARNING,
                f"was used by nobody {ago}, and {who} had not left: that died then, or the store was set back to what it was, as by a backup that "
                "was restored. What was due since is overdue; in the latter case it may have been run before",
            )
        elif now - found.since > _LONG_AGO:
            self._outage.logger.info(
                "%s was used by nobody %s: what was due since is overdue", self._outage.name, ago
            )

    def clock_was_set_back(self, by: timedelta) -> None:
        """The store's clock is behind what nodes have dated by it."""
        self._say(
            logging.WARNING,
            f"has a clock that was set back by {_rounded(by)} or more, since nodes have been heard of later than it is now: nothing is due by it "
            "that was to be run until then",
        )

    def tell_of(self, decisions: Iterable[Decision]) -> None:
        """Say what has just been claimed that may have been run before."""
        found = self._set_back
        if found is None:
            return
        again = [one for one in decisions if found.may_have_run(_first_due(one))]
        if not again:
            return
        named = ", ".join(
            f"{one.job.id!r} due at {_shown(_first_due(one))}{'' if one.submit else ' (not run)'}"
            for one in again[:_NAMED]
        )
        more = f" and {len(again) - _NAMED} more" if len(again) > _NAMED else ""
        self._outage.logger.warning(
            "Due in the time that job store %r has lost, and perhaps run before: %s%s",
            self._outage.alias,
            named,
            more,
        )

    def tell_of_ended(self, submissions: Iterable[Submission]) -> None:
        """Say what was under way when the store was set back, and has ended: the store may know nothing of it."""
        for submission in submissions:
            if submission.lease is not None and submission.lease.is_lost():
                for result in submission.results:
                    time = result.scheduled_run_time
                    identifier = run_id(submission.job.id, time, submission.attempt_of(time))
                    SafeLogger(self._outage.logger).of_run(
                        logging.WARNING,
                        identifier,
                        "Run %r was under way when job store %r was set back, and has ended (%s): it is in the history if the store knows of "
                        "its beginning",
                        identifier,
                        self._outage.alias,
                        result.outcome,
                        outcome=result.outcome,
                    )

    def _say(self, level: int, words: str) -> None:
        self._sentences.append(f"it {words}")
        self._outage.logger.log(level, "%s %s", self._outage.name, words)


def _first_due(decision: Decision) -> datetime | None:
    return decision.job.next_run_time if decision.run is None else decision.run.scheduled_run_time


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _rounded(duration: timedelta) -> str:
    return str(timedelta(seconds=round(duration.total_seconds())))
