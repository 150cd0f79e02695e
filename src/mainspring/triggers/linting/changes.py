"""Warnings about changes of the clocks: times of the day that don't exist, or come twice, and intervals that move."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from mainspring.triggers.clock_changes import DAY, Change, changes_of, instant_of, utc_of
from mainspring.triggers.linting.warning import LintCode, LintWarning
from mainspring.triggers.standard import TICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mainspring.triggers.interval import IntervalTrigger
    from mainspring.triggers.wall_clock import WallClockTrigger

    Fires = Callable[[datetime], bool]

__all__ = ["drift", "of_changes"]

#: For how long ahead clock changes are looked at: two years, and whatever leap day is in them.
_AHEAD: Final = timedelta(days=731)
#: How many times of one change are listed; a schedule of every second has 3,600.
_MOST_TIMES = 100


def of_changes(trigger: WallClockTrigger, now: datetime, fires: Fires | None) -> Iterator[LintWarning]:
    """Times of the day that don't exist, or come twice, on a day of the coming two years."""
    if _shows_every_hour(trigger):
        return  # as many runs as there are hours
    trigger._prepared()
    zone = trigger._zone()
    first, last = instant_of(now), instant_of(_later(now, _AHEAD))
    for change in changes_of(zone).between(first, last):
        if first < change.at <= last:
            of_change = _in_gap if change.after > change.before else _in_fold
            yield from of_change(trigger, change, zone, fires)


def _later(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment.astimezone(UTC) + span
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _shows_every_hour(trigger: WallClockTrigger) -> bool:
    """Whether it fires in each hour that the clocks show, so that a change adds and takes nothing."""
    hours = next((field for field in getattr(trigger, "fields", ()) if field.name == "hour"), None)
    trigger._prepared()
    return hours is not None and hours.matches_all() and trigger._policy == ("skip", "both")


def _walls_between(trigger: WallClockTrigger, low: int, high: int) -> tuple[list[int], int]:
    """The first of its wall-clock times from `low` on, before `high`, the last of them, and how many there are."""
    walls = trigger._prepared()
    count = walls.count(low, high)
    found: list[int] = []
    at = low - 1
    while len(found) < min(count, _MOST_TIMES):
        following = walls.after(at)
        if following is None or following >= high:
            break
        found.append(following)
        at = following
    last = walls.before(high)
    if count > len(found) and last is not None:
        found.append(last)
    return found, count


def _in_gap(
    trigger: WallClockTrigger, change: Change, zone: tzinfo, fires: Fires | None
) -> Iterator[LintWarning]:
    walls, count = _walls_between(trigger, change.at + change.before, change.at + change.after)
    is_skipped = trigger._policy[0] == "skip"
    instants = [
        wall - change.before
        for wall in walls
        if _is_meant(trigger, wall - change.before, None if is_skipped else fires)
    ]
    if not instants:
        return
    count -= len(walls) - len(instants)
    walls = [instant + change.before for instant in instants]
    is_one = len(walls) == 1
    text = f"{_clock_times(walls, count)} {'does' if is_one else 'do'}n't exist on {_day(walls[0])} in {_city(zone)}: "
    if is_skipped:
        text += "is left out" if is_one else "are left out"
        times = [change.at]
    else:
        moved = [instant + change.after for instant in instants]
        text += f"{'runs' if is_one else 'run'} at {_clock_times(moved, count)}"
        known = trigger._prepared()
        if all(known.count(wall, wall + 1) for wall in moved):
            text += ", when it runs anyway" if is_one else ", when they run anyway"
        times = instants
    yield LintWarning(LintCode.CLOCK_GAP, text, _as_times(times, zone))


def _in_fold(
    trigger: WallClockTrigger, change: Change, zone: tzinfo, fires: Fires | None
) -> Iterator[LintWarning]:
    walls, count = _walls_between(trigger, change.at + change.after, change.at + change.before)
    fold = trigger._policy[1]
    offsets = {"first": [change.before], "second": [change.after], "both": [change.before, change.after]}[
        fold
    ]
    by_wall = {
        wall: [wall - offset for offset in offsets if _is_meant(trigger, wall - offset, fires)]
        for wall in walls
    }
    count -= sum(not instants for instants in by_wall.values())
    walls = [wall for wall, instants in by_wall.items() if instants]
    instants = sorted(instant for wall in walls for instant in by_wall[wall])
    if not instants:
        return
    is_one = len(walls) == 1
    when = {"first": "the first time", "second": "the second time", "both": "both times"}[fold]
    text = (
        f"{_clock_times(walls, count)} {'comes' if is_one else 'come'} twice on {_day(walls[0])} in {_city(zone)}: "
        f"{'runs' if is_one else 'run'} {when}"
    )
    yield LintWarning(LintCode.CLOCK_FOLD, text, _as_times(instants, zone))


def _is_meant(trigger: WallClockTrigger, instant: int, fires: Fires | None) -> bool:
    """Whether a time of the schedule is between its start and its end, and one of the whole."""
    moment = utc_of(instant)
    start, end = trigger._limits
    if moment is None or (start is not None and moment < start) or (end is not None and moment > end):
        return False
    return fires is None or fires(moment)


def _as_times(instants: Iterable[int], zone: tzinfo) -> tuple[datetime, ...]:
    return tuple(moment.astimezone(zone) for moment in map(utc_of, instants) if moment is not None)


def _clock_times(walls: list[int], count: int) -> str:
    """``02:30``, ``02:00 and 02:30``, or ``02:00 to 02:59 (60 times)``."""
    texts = [_clock_time(wall % DAY) for wall in walls]
    if len(texts) <= 2:  # noqa: PLR2004 - that many are listed
        return " and ".join(texts)
    return f"{texts[0]} to {texts[-1]} ({count} times)"


def _clock_time(second: int) -> str:
    text = f"{second // 3600:02}:{second // 60 % 60:02}"
    return f"{text}:{second % 60:02}" if second % 60 else text


def _day(wall: int) -> str:
    return date.fromordinal(wall // DAY).isoformat()


def _city(zone: tzinfo) -> str:
    """A zone as people call it: the place that its name ends with."""
    return str(zone).rpartition("/")[2].replace("_", " ")


def drift(trigger: IntervalTrigger, now: datetime) -> Iterator[LintWarning]:
    """An interval of whole days, which is elapsed time, moves on the clock when that is changed."""
    if trigger.interval % timedelta(days=1):
        return
    zone = trigger._zone()
    first, last = instant_of(now), instant_of(_later(now, _AHEAD))
    for change in changes_of(zone).between(first, last):
        moment = utc_of(change.at)
        if moment is None or not first < change.at <= last:
            continue
        before, after = trigger.previous(moment), trigger.get_next_fire_time(moment - TICK, moment)
        if before is None or after is None or before.time() == after.time():
            continue
        days = trigger.interval // timedelta(days=1)
        distance = "a day is 24 hours" if days == 1 else f"{days} days are {days * 24} hours"
        yield LintWarning(
            LintCode.CLOCK_DRIFT,
            f"{distance} here: after the clocks change on {moment.astimezone(zone):%Y-%m-%d} in {_city(zone)} it runs at "
            f"{after:%H:%M} instead of {before:%H:%M}; CalendarIntervalTrigger(days={days}) stays at the time of the day",
            (after,),
        )
        return
