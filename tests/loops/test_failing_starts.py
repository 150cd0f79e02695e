"""Starts on what will not pass and on what is dead, on each kind of scheduler: in time, with a sentence, and without the loop standing still."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import failing_starts
import pytest

pytestmark = pytest.mark.one_python

HERE = Path(__file__).parent
KINDS = [
    *("blocking", "background", "asyncio", "tornado", "twisted", "qt-pyside6", "gevent"),
    *(pytest.param(kind, marks=pytest.mark.soak) for kind in ("asyncio-uvloop", "qt-pyqt6")),
]
WITHOUT_LOOP = {"blocking", "background"}
WITHOUT_AWAITING = {*WITHOUT_LOOP, "qt-pyside6", "qt-pyqt6", "gevent"}
#: What is said of what will not pass, and to whom it is done.
SENTENCES = {
    "directory sqlite": ("there is no directory {folder}/nowhere: make it",),
    "database psycopg": ('database "nowhere" does not exist', "create the database"),
    "database psycopg2": ('database "nowhere" does not exist', "create the database"),
    "database pymysql": ("Unknown database 'nowhere'", "create the database"),
    "database redis": ("out of range", "give a number of a database that the server has"),
    "role psycopg": ('role "nobody" does not exist', "create the role"),
    "password pymysql": ("Access denied", "check the user and the password"),
    "password redis": ("invalid username-password", "check the user and the password"),
}
#: Seconds for which a loop of a busy machine may not get its turn; a driver waits for five at least.
BUSY = 4.5


@pytest.fixture
def urls(postgres_url, mariadb_url, redis_url):
    return json.dumps({"postgres": postgres_url, "mariadb": mariadb_url, "redis": redis_url})


def attacked(kind, urls, folder):
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(HERE / "failing_starts.py"), kind, urls, str(folder)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "secret" not in ran.stdout + ran.stderr
    return json.loads(ran.stdout.splitlines()[-1]), ran.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_on_what_cannot_be_had_fails_in_time_and_with_a_sentence(kind, urls, tmp_path):
    found, log = attacked(kind, urls, tmp_path)
    is_loop = kind not in WITHOUT_LOOP
    assert len(found["starts"]) == len(SENTENCES) + 10
    for name, start in found["starts"].items():
        words = SENTENCES.get(name)
        if words is not None:
            assert start["type"] == "ConfigurationError", (name, start)
            assert start["seconds"] < failing_starts.TOO_LONG / 3, (name, start)
            for word in words:
                assert word.format(folder=tmp_path) in start["text"], (name, start)
        else:
            assert start["type"] == "StoreUnavailableError", (name, start)
            assert failing_starts.TRIED <= start["seconds"] < failing_starts.TOO_LONG / 3, (name, start)
            assert re.search(r"\(tried for [23] s\)", start["text"]), (name, start)
            assert "127.0.0.1:" in start["text"], (name, start)
        assert start["state"] == "stopped", (name, start)
        assert start["health"] == {"default": f"{start['type']}: {start['text']}"}, (name, start)
        assert start["raised"] is not is_loop, (name, start)
        told = f"ERROR {name.replace(' ', '.')} The scheduler could not be started: {start['text']}"
        assert (told in log) is is_loop, (name, log)
    for name in ("closed psycopg", "closed psycopg2", "closed redis"):
        assert "refused" in found["starts"][name]["text"]
        assert f"It is tried for {failing_starts.TRIED} s" in log
    assert found["stood still"] < BUSY
    calls = {name: start["call"] for name, start in found["starts"].items()}
    assert not is_loop or max(calls.values()) < BUSY, calls
    if kind not in WITHOUT_AWAITING:
        assert f"there is no directory {tmp_path}/nowhere" in found["awaited"]["directory sqlite"]
