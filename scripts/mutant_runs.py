"""Runs tests against changed functions, each in a process of its own that loads the code as it stands in its file.

mutmut has all changes of a function in the code at once, and asks at each call which of them is on. Where a test asks for a hundred thousand
times, that is most of what it does. Here nothing is in the way of a call, so that a change costs what its tests take.

Run as a program, it writes down which functions each test calls: ``python mutant_runs.py FILE SOURCE PYTEST-ARGUMENTS…``.
"""

from __future__ import annotations

import ast
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: A change that makes its tests take so many times as long, and so many seconds more, has been noticed.
_TIMES_AS_LONG = 5
_SECONDS_MORE = 30
#: How tests may end that haven't noticed anything.
_ALL_PASSED = (0, 5)
_QUIETLY = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
#: What is called while tests are collected concerns all of them.
_COLLECTING = ""


class Calls(NamedTuple):
    """What a test calls.

    Attributes:
        seconds: how long it takes.
        functions: by their file and the line where they begin.
    """

    seconds: float
    functions: frozenset[tuple[str, int]]


class Recorder:
    """A plugin of pytest that writes down the `Calls` of each test."""

    def __init__(self, source: str) -> None:
        self.calls: dict[str, tuple[float, list[tuple[str, int]]]] = {}
        self._source = source

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Iterator[None]:
        """Write down what is called while tests are collected."""
        return (yield from self._recorded(_COLLECTING))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Write down what a test calls."""
        return (yield from self._recorded(item.nodeid))

    def _recorded(self, name: str) -> Iterator[None]:
        codes = set()

        def note(frame: Any, event: str, _: object) -> None:
            if event == "call":
                codes.add(frame.f_code)

        began = time.process_time()
        sys.setprofile(note)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            functions = [
                (code.co_filename, code.co_firstlineno)
                for code in codes
                if code.co_filename.startswith(self._source)
            ]
            self.calls[name] = (time.process_time() - began, functions)


def recorded(folder: Path, arguments: Sequence[str]) -> dict[str, Calls]:
    """The calls of the tests of a folder with ``src``, each of which must pass."""
    file, source = folder / "calls.json", folder / "src"
    command = [sys.executable, __file__, str(file), str(source), *arguments]
    ended = subprocess.run(command, cwd=folder, env=_environment(source), capture_output=True, check=False)
    if ended.returncode:
        sys.exit(
            f"the tests fail without any change:\n{ended.stdout.decode()[-5000:]}{ended.stderr.decode()[-2000:]}"
        )
    return {
        name: Calls(
            seconds, frozenset((str(Path(path).relative_to(source)), line) for path, line in functions)
        )
        for name, (seconds, functions) in json.loads(file.read_text()).items()
    }


def tests_of(function: tuple[str, int], calls: Mapping[str, Calls]) -> list[str]:
    """The tests that call a function, the fastest first; all of them, if it is called while they are collected."""
    is_for_all = _COLLECTING in calls and function in calls[_COLLECTING].functions
    found = [name for name, call in calls.items() if name and (is_for_all or function in call.functions)]
    return sorted(found, key=lambda name: (calls[name].seconds, name))


def definition(source: str, function: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """Where a function stands in the text of a module, by its name there, such as ``Class.method``."""
    body: list[ast.stmt] = ast.parse(source).body
    *classes, name = function.split(".")
    for each in classes:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == each)
    found = [
        node
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    return found[-1]  # those before it only say types


def changed(source: str, function: str, text: str) -> str:
    """The text of a module with another text for a function, which is indented as it is."""
    node = definition(source, function)
    lines = source.splitlines()
    lines[node.lineno - 1 : node.end_lineno] = text.splitlines()
    return "\n".join(lines) + "\n"


class Change(NamedTuple):
    """A change of a function: its module as a path below ``src``, its name there, its text."""

    module: str
    function: str
    text: str


class Bench:
    """Runs tests against changes, several at a time, each in a copy of ``src``.

    Args:
        folder: has ``src`` and the tests.
        calls: what each test calls.
        count: how many run at a time.
    """

    def __init__(self, folder: Path, calls: Mapping[str, Calls], count: int) -> None:
        self._folder, self._calls, self._count = folder, calls, count
        self._sources: Queue[Path] = Queue()
        for number in range(count):
            copy = folder / f"source-{number}"
            shutil.copytree(folder / "src", copy)
            self._sources.put(copy)

    def statuses(self, changes: Mapping[str, Change]) -> dict[str, str]:
        """What became of each change: "killed", "survived", or "no tests"."""
        with ThreadPoolExecutor(self._count) as pool:
            return dict(zip(changes, pool.map(self._status, changes.values()), strict=True))

    def _status(self, change: Change) -> str:
        source = self._sources.get()
        file = source / change.module
        before = file.read_text()
        node = definition(before, change.function)
        line = min(each.lineno for each in (node, *node.decorator_list))
        tests = tests_of((change.module, line), self._calls)
        try:
            file.write_text(changed(before, change.function, change.text))
            return self._ended(source, tests) if tests else "no tests"
        finally:
            file.write_text(before)
            self._sources.put(source)

    def _ended(self, source: Path, tests: Sequence[str]) -> str:
        usual = sum(self._calls[name].seconds for name in tests)
        limit = int(usual * _TIMES_AS_LONG + _SECONDS_MORE)
        chosen = source.with_suffix(".txt")
        chosen.write_text("\n".join(tests))
        ended = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", *_QUIETLY, f"@{chosen}"],
            cwd=self._folder,
            env=_environment(source),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        # What takes so much of the processor's time that the limit ends it is killed as well: that doesn't rest on what else the machine does.
        return "survived" if ended.returncode in _ALL_PASSED else "killed"


def _environment(source: Path) -> dict[str, str]:
    # With CI, Hypothesis tries the same examples each time.
    return {**os.environ, "CI": "true", "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}


def _record(file: str, source: str, *arguments: str) -> int:
    recorder = Recorder(source)
    status = pytest.main([*_QUIETLY, *arguments], plugins=[recorder])
    Path(file).write_text(json.dumps(recorder.calls))
    return int(status)


if __name__ == "__main__":
    sys.exit(_record(*sys.argv[1:]))
