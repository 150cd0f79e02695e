"""Web servers that start schedulers in their own ways."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from servers import free_port, missing

from .programs import PACKAGES, SOURCE, environment_with

HERE = Path(__file__).parent
PATIENCE = 60

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]


class MuteServerError(Exception):
    """It doesn't answer; its log."""


class Server:
    """A web server, and the file to which its job writes in which process it runs."""

    def __init__(self, folder, command, port, **environment):
        self.ticks, self.log, self.port = folder / "ticks", folder / "log", port
        environment = {**os.environ, "TICKS": str(self.ticks), **environment}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
            )

    def ask(self, patience=PATIENCE):
        """What it answers, as soon as it does."""
        end = time.monotonic() + patience
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/", timeout=min(20, patience)
                ) as answer:
                    return json.load(answer)
            except OSError as error:
                if time.monotonic() > end:
                    raise MuteServerError(self.log.read_text()) from error
                time.sleep(0.05)

    def processes_that_ran(self, wanted):
        """In which processes the job has run, when so many were seen, and it goes on."""
        end = time.monotonic() + PATIENCE
        while True:
            pids = [int(line) for line in self.ticks.read_text().split()] if self.ticks.exists() else []
            if len(set(pids)) >= wanted and len(pids) >= 4 * wanted:
                return set(pids)
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def kill(self):
        """End it at once, with its workers: they have its process group."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def serve(tmp_path):
    servers = []

    def start(command, port, **environment):
        servers.append(Server(tmp_path, command, port, **environment))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture
def serve_by_uwsgi(serve):
    program = shutil.which("uwsgi_python3")
    if program is None:
        missing("there is no uWSGI (apt-get install uwsgi-core uwsgi-plugin-python3)")

    def start(*options):
        port = free_port()
        command = [
            program,
            "--http-socket",
            f"127.0.0.1:{port}",
            "--need-app",
            "--wsgi",
            "uwsgi_application",
            *options,
        ]
        for folder in (HERE, SOURCE, PACKAGES):
            command += ["--pythonpath", folder]
        return serve(command, port)

    return start


def test_uwsgi_without_threads_is_refused(serve_by_uwsgi):
    """The threads of a scheduler would stand still between two requests."""
    said = serve_by_uwsgi().ask()
    assert not said["running"]
    assert "give it --enable-threads" in said["refused"]


@pytest.mark.parametrize("told", [(), ("--py-call-osafterfork",)], ids=["", "python is told"])
def test_uwsgi_forks_after_the_import(serve_by_uwsgi, told):
    # uWSGI forks without Python's lock. If another thread has it at that moment, the worker waits for it for ever, whatever that thread belongs to.
    for tries_left in (4, 3, 2, 1, 0):
        server = serve_by_uwsgi("--enable-threads", "--master", "--processes", "2", *told)
        try:
            said = server.ask(10)
        except MuteServerError:
            server.kill()
            if not tries_left:
                raise
        else:
            break
    assert (said["running"], said["state"]) == (False, "forked")
    assert server.processes_that_ran(1) == {server.process.pid}
    assert server.end() == 0
    assert "NO MERCY" not in server.log.read_text()


def test_uwsgi_forks_before_the_import(serve_by_uwsgi):
    server = serve_by_uwsgi("--enable-threads", "--master", "--processes", "2", "--lazy-apps")
    assert (said := server.ask())["running"], said
    pids = server.processes_that_ran(2)
    assert len(pids) == 2
    assert server.process.pid not in pids
    assert server.end() == 0
    assert "NO MERCY" not in server.log.read_text()


RELOADED = """
import json, os
from mainspring import AsyncIOScheduler

def tick():
    with open(os.environ["TICKS"], "a") as file:
        file.write(f"{os.getpid()}\\n")

scheduler = AsyncIOScheduler({"apscheduler.jobstores.default": {"type": "sqlalchemy", "url": "sqlite:///jobs.sqlite"}}, timezone="UTC")

async def application(scope, receive, send):
    if scope["type"] != "lifespan":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"pid": os.getpid()}).encode()})
        return
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await scheduler.astart()
            await scheduler.aadd_job(tick, "interval", seconds=0.2, id="tick", replace_existing=True)
        elif (ending := scheduler.shutdown()) is not None:
            await ending
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
"""


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_uvicorn_that_loads_the_program_again(serve, tmp_path):
    python = environment_with(tmp_path, "uvicorn")
    (tmp_path / "served").mkdir()
    program = tmp_path / "served" / "program.py"
    program.write_text(RELOADED)
    port = free_port()
    server = serve(
        [
            python,
            "-m",
            "uvicorn",
            "program:application",
            "--app-dir",
            program.parent,
            "--reload",
            "--reload-dir",
            program.parent,
            "--port",
            port,
        ],
        port,
    )
    first = server.ask()["pid"]
    assert server.processes_that_ran(1) == {first}
    program.write_text(RELOADED + "# changed\n")
    assert len(server.processes_that_ran(2)) == 2
    # The one of before has ended: nothing runs twice.
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.log.read_text()
