"""How long `get_next_fire_time` takes, beside APScheduler 3.11.3 and cronsim, on nine cron expressions.

Each library walks through the fire times of Europe/Berlin from 2026 on, in a process of its own and in turns; the figure
is the median over the rounds of microseconds for one step, and the ratio the median of the rounds' ratios. Construction is not
counted, the first step is.

Below that, the worst searches in vain: one slice of a search for two schedules that never meet, and what `get_next_fire_time` takes to say that there
is nothing, of schedules that can't be seen never to fire.

Run it with ``python -m benchmarks.triggers``; cronsim is taken from the interpreter that runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from benchmarks.harness import CHECKOUT, prepared_python, show

EXPRESSIONS = (
    "* * * * *",
    "*/5 * * * *",
    "0 9 * * 0-4",
    "30 2 * * *",
    "0 0 1 * *",
    "0 0 29 2 *",
    "15 10 1 1 *",
    "0 12 * * 4",
    "17,43 8-18/2 * 3-9 mon,wed",
)
#: The same with cron's own numbers of weekdays.
FOR_CRONSIM = {"0 9 * * 0-4": "0 9 * * 1-5", "0 12 * * 4": "0 12 * * 5"}
STEPS = 300
ROUNDS = 7

WALK = """
import json, sys, time, warnings
from datetime import datetime
from zoneinfo import ZoneInfo
warnings.simplefilter("ignore")
zone = ZoneInfo("Europe/Berlin")
figures = {}
for text in json.loads(sys.argv[1]):
    start = datetime(2026, 1, 15, 10, 0, 30, tzinfo=zone)
    STEP
    figures[text] = (time.perf_counter() - begin) / int(sys.argv[2]) * 1e6
print(json.dumps(figures))
"""
TRIGGER_STEP = """from LIBRARY.triggers.cron import CronTrigger
    trigger = CronTrigger.from_crontab(text, timezone=zone)
    begin = time.perf_counter()
    previous, now = None, start
    for _ in range(int(sys.argv[2])):
        previous = now = trigger.get_next_fire_time(previous, now)"""
CRONSIM_STEP = """from cronsim import CronSim
    times = CronSim(json.loads(sys.argv[3]).get(text, text), start)
    begin = time.perf_counter()
    for _ in range(int(sys.argv[2])):
        next(times)"""


#: Searches that end without a time: what they are, and how they are made.
IN_VAIN = {
    "30 February": "CronTrigger(month=2, day=30, timezone=zone)",
    "29 February of the years 2026, 2030, …": "CronTrigger(year='2026-9999/4', month=2, day=29, timezone=zone)",
    "a time that the clocks skip, which is skipped": "CronTrigger(month=3, day='last sun', hour=2, minute=30, gap='skip', timezone=zone)",
    "minute 0 and minute 30 of every hour": "AndTrigger([CronTrigger(hour='*', timezone=zone), CronTrigger(minute=30, timezone=zone)])",
    "09:00 and 10:00 every day": "AndTrigger([CronTrigger(hour=9, timezone=zone), CronTrigger(hour=10, timezone=zone)])",
    "even seconds and odd calendar days at 00:00:01": "AndTrigger([CronTrigger(second='*/2', timezone=zone), "
    "CalendarIntervalTrigger(days=2, second=1, start_date='2026-01-01', timezone=zone)])",
}
SEARCH = """
import json, sys, time, warnings
from datetime import datetime
from zoneinfo import ZoneInfo
from mainspring import AndTrigger, CalendarIntervalTrigger, CronTrigger
from mainspring.triggers.steps import Steps
warnings.simplefilter("ignore")
zone = ZoneInfo("Europe/Berlin")
start = datetime(2026, 1, 15, 10, 0, 30, tzinfo=zone)
figures = {}
for name, made in json.loads(sys.argv[1]).items():
    trigger = eval(made)
    begin = time.perf_counter()
    answer = type(trigger.search(None, start, Steps())).__name__
    slice_took = time.perf_counter() - begin
    trigger = eval(made)
    begin = time.perf_counter()
    trigger.get_next_fire_time(None, start)
    figures[name] = (answer, slice_took * 1e3, (time.perf_counter() - begin) * 1e3)
print(json.dumps(figures))
"""


def _searches(python: str) -> None:
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [python, "-c", SEARCH, json.dumps(IN_VAIN)],
            env={"PYTHONPATH": str(CHECKOUT / "src")},
            capture_output=True,
            text=True,
            check=True,
        )
        rounds.append(json.loads(done.stdout))
    rows = [
        (name, rounds[0][name][0], *(f"{median(each[name][at] for each in rounds):.1f}" for at in (1, 2)))
        for name in IN_VAIN
    ]
    title = f"searches in vain, Europe/Berlin, milliseconds, median of {ROUNDS} rounds"
    show(title, rows, ("what never comes", "first answer", "one slice", "get_next_fire_time"))


def _microseconds(python: str, step: str, steps: int, path: str | None = None) -> dict[str, float]:
    arguments = [json.dumps(EXPRESSIONS), str(steps), json.dumps(FOR_CRONSIM)]
    program = WALK.replace("STEP", step, 1)
    environment = {} if path is None else {"PYTHONPATH": path}
    done = subprocess.run(
        [python, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _ratios(text: str, theirs: list[dict[str, float]], ours: list[dict[str, float]]) -> list[float]:
    return [their[text] / our[text] for their, our in zip(theirs, ours, strict=True)]


def main() -> None:
    python = str(prepared_python())
    rounds: dict[str, list[dict[str, float]]] = {"mainspring": [], "apscheduler": [], "cronsim": []}
    for _ in range(ROUNDS):
        ours = TRIGGER_STEP.replace("LIBRARY", "mainspring")
        rounds["mainspring"].append(_microseconds(python, ours, STEPS, str(CHECKOUT / "src")))
        theirs = TRIGGER_STEP.replace("LIBRARY", "apscheduler")
        rounds["apscheduler"].append(_microseconds(python, theirs, STEPS))
        rounds["cronsim"].append(_microseconds(sys.executable, CRONSIM_STEP, STEPS))
    rows = []
    ratios = []
    for text in EXPRESSIONS:
        ours, theirs, cronsim = (median(each[text] for each in rounds[name]) for name in rounds)
        than = {name: median(_ratios(text, rounds[name], rounds["mainspring"])) for name in rounds}
        ratios.append(than["apscheduler"])
        rows.append(
            (
                text,
                f"{ours:.2f}",
                f"{theirs:.1f}",
                f"{cronsim:.1f}",
                f"{than['apscheduler']:.1f}x",
                f"{than['cronsim']:.1f}x",
            )
        )
    title = (
        f"get_next_fire_time, Europe/Berlin, microseconds a step, median of {ROUNDS} rounds of {STEPS} steps"
    )
    show(title, rows, ("expression", "mainspring", "APScheduler", "cronsim", "faster by", "than cronsim"))
    print(f"median: {median(ratios):.1f} times APScheduler; least: {min(ratios):.1f} times")
    _searches(python)


if __name__ == "__main__":
    main()
