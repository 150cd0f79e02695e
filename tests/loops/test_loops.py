"""Every scenario on every kind of loop, each in a process of its own."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import kits
import pytest
import scenarios

_HERE = Path(__file__).parent
_NAMES = [
    name
    for name, value in vars(scenarios).items()
    if inspect.isfunction(value)
    and list(inspect.signature(value).parameters) == ["kit"]
    and not name.startswith("_")
]
_WITHOUT_LOOP = {"blocking", "background"}
_NOT_CANCELLED = _WITHOUT_LOOP | {"qt-pyside6", "qt-pyqt6"}
_PAIRS = [
    (kind, name)
    for kind in kits.KINDS
    for name in _NAMES
    if not (name in scenarios.NEEDS_A_LOOP and kind in _WITHOUT_LOOP)
    and not (name in scenarios.NEEDS_CANCELLATION and kind in _NOT_CANCELLED)
]
#: What takes ten seconds each, and what of Python it needs, the first loops show: the others have it on one Python.
_LONG = {
    "ten_thousand_runs_are_run_once_each",
    "a_slow_store_never_stalls_the_loop",
    "a_store_that_is_away_keeps_no_loop_waiting",
    "a_store_that_can_never_be_had_is_told_of",
}
_ON_EVERY_PYTHON = {"background", "asyncio", "twisted"}


def _marks(kind, name):
    return [pytest.mark.one_python] if name in _LONG and kind not in _ON_EVERY_PYTHON else []


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(kind, name, id=f"{kind}-{name}", marks=_marks(kind, name)) for kind, name in _PAIRS],
)
def test_it_holds_on(kind, name):
    ran = subprocess.run(
        [sys.executable, "-X", "dev", str(_HERE / "child.py"), kind, name],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "never retrieved" not in ran.stderr
    assert "was never awaited" not in ran.stderr
    assert "was destroyed but it is pending" not in ran.stderr
