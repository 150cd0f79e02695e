"""The examples run, as programs, and do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_python

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "schedulers").glob("*.py"))


def test_there_is_one_for_every_scheduler():
    names = {path.stem.split("_")[0] for path in EXAMPLES}
    assert names == {"blocking", "background", "asyncio", "gevent", "tornado", "twisted", "qt"}


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_it_runs_and_ends(path):
    arguments = ["3"] if path.stem == "qt_window" else []
    ran = subprocess.run(
        [sys.executable, path, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == 0, ran.stderr
    said = ran.stderr.replace(
        "This plugin does not support propagateSizeHints()\n", ""
    )  # of the offscreen window
    assert said == ""
    lines = ran.stdout.splitlines()
    if path.stem == "qt_window":
        (line,) = lines
        assert line.startswith("the end; it said: It is ")
        assert line.endswith(": 499999500000")
    else:
        assert [line.split()[0] for line in lines] == ["tick"] * 3 + ["the"]
