"""A store that falls silent in the middle of its work, on each loop: the loop goes on, and what waits for it comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.soak, pytest.mark.one_python]

HERE = Path(__file__).parent
#: Seconds for which a loop of a busy machine may not get its turn; a statement has three.
BUSY = 2.5
#: How long each may take, in seconds: the limit of a statement, and of calls of programs, is 30.
LONGEST = {"nothing": 2, "health": 2, "twin": 30 + 5, "call on the loop": 30, "shutdown": 10}


@pytest.mark.parametrize(
    ("kind", "server"),
    [
        ("asyncio", "postgres"),
        ("asyncio", "mariadb"),
        ("asyncio", "redis"),
        ("asyncio", "mongodb"),
        ("tornado", "postgres"),
        ("twisted", "mariadb"),
        ("gevent", "postgres"),
        ("gevent-patched", "redis"),
        ("qt-pyside6", "mongodb"),
    ],
)
def test_the_loop_goes_on_while_a_statement_has_no_answer(kind, server, request):
    urls = json.dumps({server: request.getfixturevalue(f"{server}_url")})
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(HERE / "silent_stores.py"), kind, urls],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    found = json.loads(ran.stdout.splitlines()[-1])[server]
    assert set(found) >= {"nothing", "health", "call on the loop", "shutdown"}
    for name, measured in found.items():
        assert measured["seconds"] < LONGEST[name] + BUSY, (name, found)
        # A plain call on the loop's thread is what the docs say holds it up.
        assert name == "call on the loop" or measured["stood still"] < BUSY, (name, found)
    assert "no answer" in ran.stderr
    assert "Traceback" not in ran.stderr
