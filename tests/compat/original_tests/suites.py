"""The tests that APScheduler and packages built on it ship, and how they are run: on the original, or under the alias."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
FETCHED = CHECKOUT / ".apscheduler-venvs" / "original-tests"
#: A program under the alias.
UNDER_THE_ALIAS = ("-m", "mainspring.as_apscheduler")


class Found(NamedTuple):
    """What has become of tests, by their ids: ``"passed"``, ``"skipped"``, or what is said of their failure.

    Attributes:
        relaxed: of those that failed, and were run once more with any texts of messages.
    """

    outcomes: Mapping[str, str]
    relaxed: Mapping[str, str]


@dataclass(frozen=True)
class Suite:
    """The tests of one source distribution.

    Attributes:
        options: of pytest, besides those that all have.
        settings: environment variables.
        processes: how many run the tests.
        is_slow: whether they wait for fixed times, so that they are no part of what is run for every change.
    """

    name: str
    version: str
    options: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    processes: int = 4
    is_slow: bool = False

    @property
    def folder(self) -> Path:
        return FETCHED / f"{self.name}-{self.version}"

    @property
    def is_fetched(self) -> bool:
        return (self.folder / "outcomes.json").exists()

    def outcomes_there(self) -> dict[str, str]:
        """What has become of each test on the original, by its id."""
        return json.loads((self.folder / "outcomes.json").read_text())

    def settled(
        self, *, under_the_alias: bool, expected: Collection[str] = (), hanging: Collection[str] = ()
    ) -> Found:
        """What becomes of all tests. Those that fail are run once more, alone: some wait for a fixed time, which a busy machine doesn't keep to.

        Args:
            expected: tests that may fail, and aren't run again by themselves, but with any texts of messages.
            hanging: those of them that wait for what never comes: they are given little time, once.
        """
        relaxed_too = [test for test in expected if test not in hanging]
        found = self.run(under_the_alias=under_the_alias, relaxed_too=relaxed_too, hanging=hanging)
        failed = [
            test
            for test, outcome in found.outcomes.items()
            if outcome not in ("passed", "skipped") and test not in expected
        ]
        again = self.run(under_the_alias=under_the_alias, only=failed).outcomes if failed else {}
        return Found(found.outcomes | again, found.relaxed)

    def run(
        self,
        *,
        under_the_alias: bool,
        only: Sequence[str] = (),
        relaxed_too: Collection[str] = (),
        hanging: Collection[str] = (),
    ) -> Found:
        """Run the tests once.

        Args:
            only: ids; all tests, if there are none.
            relaxed_too: ids of those that, failing, run once more, with any texts of messages.
            hanging: ids of those that wait for what never comes.
        """
        with tempfile.TemporaryDirectory() as scratch:
            outcomes = Path(scratch) / "outcomes.json"
            for name, ids in (("only", only), ("relaxed-too", relaxed_too), ("hanging", hanging)):
                (Path(scratch) / name).write_text("\n".join(ids))
            command = [
                str(self.folder / "venv" / "bin" / "python"),
                *("-m", "pytest", "-q", "-p", "outcomes", "-p", "no:mainspring", "-p", "no:cacheprovider"),
                *(("-p", "mainspring.as_apscheduler") if under_the_alias else ()),
                *("-o", "addopts=", "--timeout=15", f"--basetemp={scratch}/base", f"--outcomes={outcomes}"),
                *(f"--relaxed-too={scratch}/relaxed-too", f"--hanging={scratch}/hanging"),
                *((f"--only={scratch}/only",) if only else ("-n", str(self.processes))),
                *self.options,
            ]
            done = subprocess.run(
                command,
                cwd=self.folder / "source",
                env=self._environment(under_the_alias=under_the_alias),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=900,
                check=False,
            )
            if not outcomes.exists():
                raise RuntimeError(f"the tests of {self.name} didn't run:\n{done.stdout[-4000:]}")
            return Found(**json.loads(outcomes.read_text()))

    def _environment(self, *, under_the_alias: bool) -> Mapping[str, str]:
        path = [str(HERE / "plugins"), *([str(CHECKOUT / "src")] if under_the_alias else [])]
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "MAINSPRING_"))
        }
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "QT_QPA_PLATFORM": "offscreen",
            **dict(self.settings),
        }

    def output_of(self, program: Path, *, under_the_alias: bool) -> str:
        """What a program prints."""
        done = subprocess.run(
            [
                str(self.folder / "venv" / "bin" / "python"),
                *(UNDER_THE_ALIAS if under_the_alias else ()),
                str(program),
            ],
            env=self._environment(under_the_alias=under_the_alias),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program.name} failed:\n{done.stderr[-4000:]}")
        return done.stdout


#: Its stores that need a server are left out: they want it at a fixed address, and would write into whatever is there.
APSCHEDULER = Suite(
    "apscheduler",
    "3.11.3",
    ("-k", "not mongodb and not redis and not rethinkdb and not zookeeper and not etcd"),
)
#: Its integrations with servers and frameworks are left out: what they need isn't here.
DISHKA = Suite("apscheduler-dishka", "1.1.1", ("--asyncio-mode=auto", "tests/scheduler/core"))
DJANGO = Suite("django-apscheduler", "0.7.0", ("-c", os.devnull, "--rootdir=.", "tests"), processes=2)
#: The tests of its job queue: they wait for fixed times, and are repeated where those weren't kept to.
TELEGRAM = Suite(
    "python-telegram-bot",
    "22.8",
    ("--asyncio-mode=auto", "tests/ext/test_jobqueue.py"),
    processes=8,
    is_slow=True,
)
SUITES = {suite.name: suite for suite in (APSCHEDULER, DISHKA, DJANGO, TELEGRAM)}


def main(arguments: Sequence[str]) -> None:
    """Run the tests of a package on the original: its name, and where to write what has become of them."""
    name, outcomes = arguments
    found = SUITES[name].settled(under_the_alias=False).outcomes
    passed = sum(one == "passed" for one in found.values())
    print(f"{name} {SUITES[name].version}: {passed} of its {len(found)} tests pass on the original")
    Path(outcomes).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
