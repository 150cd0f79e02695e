"""The way that a job takes through the library: calls, files and threads, hop by hop.

    .venv/bin/python scripts/walk.py
    .venv/bin/python scripts/walk.py --store postgresql+psycopg://user@host/database

For ``add_job``, and for a job that falls due, the calls of the library's own functions are counted with few and with many jobs: what a job costs is the
difference, so that what a scheduler does without any (upkeep, waiting) is left out. Comprehensions don't count, which later Pythons have no calls for.
A row is a file on a thread, in the order in which a job first gets there.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import Counter
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import mainspring
from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - of the schedulers that are put together here
from mainspring.schedulers.background import BackgroundScheduler

if TYPE_CHECKING:
    from types import FrameType

SOURCE = Path(mainspring.__file__).parent
FEW, MANY = 5, 25
#: How far apart jobs fall due: each is over before the next.
APART = timedelta(seconds=0.2)
#: What fewer than every second job calls is not of its way.
OFTEN_ENOUGH = 0.5


class Call(NamedTuple):
    """A function of the library, on a thread."""

    thread: str
    file: str
    function: str


class Tracer:
    """Counts the calls of the library's functions, on all threads that are begun with it."""

    def __init__(self) -> None:
        self.counts: Counter[Call] = Counter()  # in the order in which they were first seen
        self.is_counting = False

    def __enter__(self) -> Self:
        threading.setprofile(self._seen)
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _seen(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not self.is_counting:
            return
        code = frame.f_code
        is_own = code.co_filename.startswith(str(SOURCE)) and not code.co_name.endswith(("comp>", "genexpr>"))
        if is_own:
            thread = threading.current_thread().name.rstrip("0123456789_-")
            file = code.co_filename[len(str(SOURCE)) + 1 :]
            self.counts[Call(thread, file, code.co_qualname)] += 1


class Course:
    """The jobs of one scheduler, which fall due one after the other.

    Attributes:
        tracer: counts from the first of them to the last: as many whole ways as there are jobs between them.
        last: its number.
        is_over: set when that runs.
    """

    def __init__(self, last: int) -> None:
        self.tracer = Tracer()
        self.last = last
        self.is_over = threading.Event()

    def passed(self, number: int) -> None:
        """A job runs."""
        if number in (0, self.last):
            self.tracer.is_counting = number == 0
        if number == self.last:
            self.is_over.set()


courses: list[Course] = []


def job(number: int) -> None:
    """What is run."""
    courses[-1].passed(number)


def added(store: dict[str, Any], count: int) -> Counter[Call]:
    """The calls of adding so many jobs, one by one, to a scheduler that runs."""
    with Tracer() as tracer:
        scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=UTC)
        scheduler.start()
        due = SYSTEM_CLOCK.now() + timedelta(days=1)
        scheduler.add_job(job, "date", run_date=due, args=[0])  # what only the first needs
        tracer.is_counting = True
        for number in range(1, count + 1):
            scheduler.add_job(job, "date", run_date=due + number * APART, args=[number])
        tracer.is_counting = False
        scheduler.remove_all_jobs()
        scheduler.shutdown()
    return tracer.counts


def run(store: dict[str, Any], count: int) -> Counter[Call]:
    """The calls of running so many jobs, each by itself."""
    course = Course(count)
    courses.append(course)
    with course.tracer:
        scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=UTC)
        scheduler.start()
        begin = SYSTEM_CLOCK.now() + timedelta(seconds=2)
        for number in range(count + 1):
            scheduler.add_job(job, "date", run_date=begin + number * APART, args=[number])
        course.is_over.wait()
        scheduler.remove_all_jobs()
        scheduler.shutdown()
    return course.tracer.counts


def walk(few: Counter[Call], many: Counter[Call]) -> dict[Call, float]:
    """How often a job calls each function, in the order of its way: from where the loop wakes, if it does."""
    rates = {call: (count - few[call]) / (MANY - FEW) for call, count in many.items()}
    ordered = list(rates)
    woken = next((at for at, call in enumerate(ordered) if call.function.endswith("._process_jobs")), 0)
    return {call: rates[call] for call in (*ordered[woken:], *ordered[:woken]) if rates[call] >= OFTEN_ENOUGH}


def table(rates: dict[Call, float]) -> str:
    """The way as a table."""
    hops: dict[tuple[str, str], dict[str, float]] = {}
    for call, rate in rates.items():
        hops.setdefault((call.thread, call.file), {})[call.function.rpartition(".")[2]] = rate
    lines = ["| thread | file | calls | of them |", "|---|---|---|---|"]
    for (thread, file), functions in hops.items():
        names = ", ".join(
            f"`{name}`" if round(rate) <= 1 else f"`{name}` {rate:.0f} times"
            for name, rate in functions.items()
        )
        lines.append(f"| {thread} | `{file}` | {sum(functions.values()):.0f} | {names} |")
    return "\n".join(lines)


def main() -> None:
    """Print the way of both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", help="the URL of a database; in memory, if not given")
    parser.add_argument("--brief", action="store_true", help="only the sums")
    arguments = parser.parse_args()
    store = {"type": "memory"} if arguments.store is None else {"type": "sqlalchemy", "url": arguments.store}
    for name, counted in (("add_job", added), ("a due job", run)):
        rates = walk(counted(store, FEW), counted(store, MANY))
        files, threads = {call.file for call in rates}, {call.thread for call in rates}
        print(f"{name}: {sum(rates.values()):.0f} calls in {len(files)} files, {len(threads)} threads\n")
        if not arguments.brief:
            print(f"{table(rates)}\n")


if __name__ == "__main__":
    main()
