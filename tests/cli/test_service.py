"""`mainspring run` as a service: health and metrics over HTTP, and what systemd is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from datetime import timedelta

import click
import pytest

from mainspring.cli import endpoints, serving
from mainspring.cli.endpoints import ADDRESS, health_routes, metrics_route, served
from mainspring.cli.service_manager import notify, watchdog_seconds
from mainspring.errors import ConfigurationError
from mainspring.jobstores.memory import MemoryJobStore
from servers import free_port
from waiting import wait_for


def get(address, path):
    try:
        with urllib.request.urlopen(f"http://{address[0]}:{address[1]}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_scheduler_that_works_is_well_and_one_that_has_ended_is_not(make_scheduler):
    scheduler = make_scheduler(start=True)
    with served(("127.0.0.1", 0), {**health_routes(scheduler), **metrics_route(scheduler)}) as address:
        for path in ("/healthz", "/readyz"):
            status, body = get(address, path)
            assert (status, json.loads(body)["ok"], json.loads(body)["state"]) == (200, True, "running")
        assert "mainspring_up 1.0" in get(address, "/metrics?x=1")[1]
        assert get(address, "/else") == (
            404,
            "there is nothing here: there are /healthz, /readyz, /metrics\n",
        )
        scheduler.pause()
        assert [get(address, path)[0] for path in ("/healthz", "/readyz")] == [200, 503]
        scheduler.shutdown()
        assert [get(address, path)[0] for path in ("/healthz", "/readyz")] == [503, 503]


def test_a_store_that_is_away_is_no_reason_for_a_restart(make_scheduler):
    class Broken(MemoryJobStore):
        def claim(self, *args):
            raise OSError("gone")

    scheduler = make_scheduler(jobstores={"default": Broken()}, start=True)
    with served(("127.0.0.1", 0), health_routes(scheduler)) as address:
        wait_for(lambda: get(address, "/readyz")[0] == 503)
        assert get(address, "/healthz")[0] == 200
        assert "gone" in json.loads(get(address, "/readyz")[1])["store_errors"]["default"]


def test_a_loop_that_does_not_come_round_is_dead(make_scheduler, monkeypatch):
    scheduler = make_scheduler(start=True)
    wait_for(lambda: scheduler.health().last_pass)
    monkeypatch.setattr(endpoints, "_STUCK_AFTER", timedelta(0))
    assert not endpoints.lives(scheduler.health())
    monkeypatch.setattr(endpoints, "_STUCK_AFTER", timedelta(days=1))
    assert endpoints.lives(scheduler.health())


def test_a_port_that_is_taken_is_said(make_scheduler):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
        with (
            pytest.raises(ConfigurationError, match=f"{address[1]} can't be listened at"),
            served(address, health_routes(make_scheduler())),
        ):
            pass


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8080", ("127.0.0.1", 8080)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:80", ("::1", 80)),
        (":80", ("127.0.0.1", 80)),
    ],
)
def test_an_address_is_read(text, address):
    assert ADDRESS.convert(text, None, None) == address


@pytest.mark.parametrize("text", ["", "http", "host:", "70000", "-1"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no port"):
        ADDRESS.convert(text, None, None)


def test_without_a_service_manager_nobody_is_told(monkeypatch):
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    assert not notify("READY=1")
    assert watchdog_seconds() is None
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [("2000000", None, 2.0), ("2000000", "1", None), ("no", None, None), ("0", None, None)],
)
def test_the_watchdog_is_meant_for_one_process(monkeypatch, usec, pid, seconds):
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    if pid is None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    else:
        monkeypatch.setenv("WATCHDOG_PID", pid)
    assert watchdog_seconds() == seconds


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal here")
def test_files_are_read_again_one_after_the_other():
    going_on, most, done = [], [], threading.Semaphore(0)
    both_asked = threading.Event()

    def work():
        going_on.append(1)
        both_asked.wait(30)
        most.append(len(going_on))
        going_on.pop()
        done.release()

    with serving._on_hangup(work):
        for _ in range(2):
            signal.raise_signal(signal.SIGHUP)
        both_asked.set()
        for _ in range(2):
            assert done.acquire(timeout=30)
    assert most == [1, 1]


@pytest.mark.one_python
@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no sockets of Unix here")
def test_a_service_says_when_it_is_ready_alive_and_reloading(tmp_path):
    (tmp_path / "mainspring.toml").write_text(
        f"[stores.default]\nurl = 'sqlite:///{tmp_path}/jobs.sqlite'\n[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\n"
    )
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-m", "mainspring", "run", "--health", str(port), "--metrics", str(port)],
            cwd=tmp_path,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "500000"},
            stderr=subprocess.DEVNULL,
        )
        try:
            told = manager.recv(1000)
            while told == b"WATCHDOG=1":
                told = manager.recv(1000)
            assert told == b"READY=1"
            assert manager.recv(1000) == b"WATCHDOG=1"
            assert wait_for(lambda: get(("127.0.0.1", port), "/readyz")[0] == 200)
            assert "mainspring_up 1.0" in get(("127.0.0.1", port), "/metrics")[1]
            process.send_signal(signal.SIGHUP)
            for expected in (b"RELOADING=1", b"READY=1"):
                while (told := manager.recv(1000)) == b"WATCHDOG=1":
                    pass
                assert told.partition(b"\n")[0] == expected
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
