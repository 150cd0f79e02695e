"""A process that is given poison: ``poisoned.py SETTINGS``, which are JSON. It says, as JSON too, what has become of it.

By itself, and not in the process of the tests, where what is shown of errors would stumble over them as well.
"""

from __future__ import annotations

import json
import logging
import sys
import time

import poisons

from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store

FAILED, SUCCEEDED = "failed", "succeeded"
RUNS = {
    **{f"return-{name}": (poisons.return_it, [name], SUCCEEDED) for name in poisons.RESULTS},
    **{f"raise-{name}": (poisons.raise_it, [name], FAILED) for name in poisons.ERRORS},
    # What the call itself refuses is an error of the function's.
    **{
        f"say-{name}": (poisons.say_it, [name], SUCCEEDED if name in poisons.TEXTS else None)
        for name in poisons.PROGRESS
    },
    "say-much": (poisons.say_much, [2000], SUCCEEDED),
    **{
        f"log-{name}": (poisons.log_it, [name], SUCCEEDED)
        for name in (*poisons.TEXTS, "many", "wrong-arguments", "error")
    },
    "elsewhere": (poisons.raise_from_elsewhere, [], FAILED),
    "deep": (poisons.raise_from_deep, [], FAILED),
    "recurse": (poisons.recurse, [], FAILED),
}
#: In bytes, with what is added to say that something was left out.
BOUNDS = {"error": 70_000, "traceback": 70_000, "log": 70_000, "progress": 10_000, "result": 1_100_000}


class Poisoned:
    """A scheduler that runs an innocent job besides."""

    def __init__(self, settings: dict) -> None:
        url = settings["url"]
        store = (
            MemoryJobStore(keep_runs=10_000)
            if url == "memory"
            else open_store(url, settings["name"], keep_runs=10_000)
        )
        executor = {"threads": ThreadPoolExecutor, "processes": ProcessPoolExecutor}[settings["executor"]](
            settings["workers"]
        )
        self.scheduler = BackgroundScheduler(
            timezone="UTC",
            jobstores={"default": store},
            executors={"default": executor, "own": ThreadPoolExecutor(1)},
        )
        self.scheduler.start()
        self.scheduler.add_job(
            "poisons:tick", "interval", seconds=0.2, id="tick", executor="own", replace_existing=True
        )
        self.patience = settings["patience"]
        self.crosses_processes = settings["executor"] == "processes"
        self.faults: list[str] = []

    def add(self, names) -> None:
        self.scheduler.add_jobs(
            {
                "func": RUNS[name][0],
                "args": RUNS[name][1],
                "trigger": "date",
                "id": name,
                "capture_log": True,
                "misfire_grace_time": None,
            }
            for name in names
        )

    def wait(self, names) -> bool:
        """Wait for the outcomes of some, and then for another run of the innocent; whether all came."""
        end = time.monotonic() + self.patience
        while missing := [name for name in names if not self._outcomes(name)]:
            if time.monotonic() > end:
                self.faults.append(f"{len(missing)} of {len(names)} have no outcome: {missing}")
                break
            time.sleep(0.05)
        before = self._ticks()
        end = time.monotonic() + self.patience
        while self._ticks() == before:
            if time.monotonic() > end:
                self.faults.append(f"after {names[-1] if len(names) == 1 else 'these'} no other job is run")
                return False
            time.sleep(0.02)
        return True

    def _outcomes(self, name) -> list:
        return [run.outcome for run in self.scheduler.get_runs(name) if run.outcome is not None]

    def _ticks(self) -> int:
        return len(self.scheduler.get_runs("tick", outcome="succeeded", limit=100_000))

    def judge(self, names) -> None:
        """What each run has become, and whether more of it is kept than there is room for."""
        runs = [run for run in self.scheduler.get_runs(limit=100_000) if run.job_id in RUNS]
        found = sorted(run.job_id for run in runs)
        if found != sorted(names):
            self.faults.append(f"there are other runs than one of each: {set(found) ^ set(names)}")
        for run in runs:
            wanted = RUNS[run.job_id][2]
            if self.crosses_processes and "TransferError" in (run.error or ""):
                wanted = FAILED  # what can't be sent is said to be so
            if run.outcome not in ((wanted,) if wanted else (SUCCEEDED, FAILED)):
                self.faults.append(f"{run.job_id} is {run.outcome}: {str(run.error)[:200]!a}")
            if run.outcome == FAILED and not (run.error and run.traceback):
                self.faults.append(f"{run.job_id} has failed, and why isn't kept")
            self._judge_texts(run)

    def _judge_texts(self, run) -> None:
        texts = {"error": run.error, "traceback": run.traceback, "result": run.result, "log": run.log}
        if run.progress is not None:
            # It is as it was said, unlike the others.
            texts["progress"] = run.progress[2].encode(errors="backslashreplace").decode()
        for field, text in texts.items():
            if text is None:
                continue
            try:
                size = len(text.encode())  # it can be written anywhere
            except UnicodeEncodeError as error:
                self.faults.append(f"the {field} of {run.job_id} is no text: {error!a}"[:300])
                continue
            if size > BOUNDS[field]:
                self.faults.append(f"the {field} of {run.job_id} has {size} bytes")

    def end(self) -> None:
        health = self.scheduler.health()
        if not health.ok:
            self.faults.append(f"health: {health!a}"[:500])
        begin = time.monotonic()
        self.scheduler.shutdown()
        if (took := time.monotonic() - begin) > 10:
            self.faults.append(f"the shutdown took {took:.0f} s")


def main() -> None:
    settings = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.WARNING, filename=settings["log"])
    logging.raiseExceptions = False
    names = [name for name in RUNS if settings["only"] in (None, name)]
    poisoned = Poisoned(settings)
    if settings["one_by_one"]:
        for name in names:
            poisoned.add([name])
            if not poisoned.wait([name]):
                break  # each of the others would find the same
    else:
        poisoned.add(names)
        poisoned.wait(names)
    if not poisoned.faults:
        poisoned.judge(names)
    poisoned.end()
    print(json.dumps(poisoned.faults), flush=True)


if __name__ == "__main__":
    main()
