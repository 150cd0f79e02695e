"""The seed's program with four kinds of parts: stores in MongoDB and SQLite, threads and processes.

It is run unchanged under the alias, by a program that adds jobs to both stores on both executors; then again, to find them there.
"""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import servers

pytestmark = pytest.mark.one_python

PROGRAM = Path(__file__).parent / "programs" / "stores.py"
#: Where the program looks for MongoDB, since it doesn't say otherwise.
PORT = 27017

DRIVER = """\
import runpy
import sys
import time
from collections import Counter
from pathlib import Path

scheduler = runpy.run_path(sys.argv[1])["scheduler"]
notes = Path("notes")
notes.touch()


def noted():
    return Counter(notes.read_text().split())


if __name__ == "__main__":
    import work

    scheduler.start()
    if sys.argv[2] == "add":
        for store in ("default", "mongo"):
            for executor in ("default", "processpool"):
                name = f"{store}-{executor}"
                scheduler.add_job(
                    work.note, "interval", seconds=1, args=[name], id=name, jobstore=store, executor=executor
                )
    before = noted()
    end = time.monotonic() + 60
    names = [job.id for job in scheduler.get_jobs()]
    while not names or min(noted()[name] - before[name] for name in names) < 3:
        assert time.monotonic() < end, noted()
        time.sleep(0.05)
    assert str(scheduler.timezone) == "UTC", scheduler.timezone
    print(*sorted(names))
    scheduler.shutdown()
"""

WORK = """\
def note(name):
    with open("notes", "a") as notes:
        notes.write(name + " ")
"""


@pytest.fixture
def mongodb():
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            servers.missing(
                f"port {PORT} is taken, where the program would look for a MongoDB of the test's own"
            )
    try:
        server = servers.MongoDB(port=PORT)
    except servers.ServerMissingError as error:
        servers.missing(str(error))
    yield server
    server.stop()
    server.remove()


@pytest.mark.xdist_group("mongodb")
@pytest.mark.usefixtures("mongodb")
def test_it_runs_under_the_alias_and_finds_its_jobs_again(tmp_path):
    (tmp_path / "driver.py").write_text(DRIVER)
    (tmp_path / "work.py").write_text(WORK)
    names = "default-default default-processpool mongo-default mongo-processpool\n"
    for action in ("add", "find"):
        command = [sys.executable, "-m", "mainspring.as_apscheduler", "driver.py", str(PROGRAM), action]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
        assert (done.returncode, done.stdout) == (0, names), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
