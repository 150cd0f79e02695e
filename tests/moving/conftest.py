from __future__ import annotations

import logging
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

import servers

sys.path.insert(0, str(Path(__file__).parent))
from places import InDatabase, place_of, run_writer


@pytest.fixture
def write_old_jobs(tmp_path):
    """Has a release of APScheduler write jobs to a database; their next run times, by their ids."""

    def write(release: str, url: str, count: int = 0, **environment: str) -> dict[str, float | None]:
        return run_writer(tmp_path, release, url, count, **environment)

    return write


@pytest.fixture(params=["sqlite", "redis", "mongodb"])
def place(request):
    """A place of each kind."""
    made = place_of(request.param, request)
    yield made
    made.close()


@pytest.fixture(scope="session")
def old_states(tmp_path_factory):
    """Pickles of jobs, as a release of APScheduler has written them, by their ids, with when they are due."""
    known: dict[str, dict[str, tuple]] = {}

    def of(release: str = "3.11.3") -> dict[str, tuple]:
        if release not in known:
            folder = tmp_path_factory.mktemp("states")
            url = f"sqlite:///{folder}/jobs.sqlite"
            run_writer(folder, release, url, 0)
            known[release] = InDatabase(url).old()
        return known[release]

    return of


@pytest.fixture
def start(make_scheduler, place):
    """Starts a scheduler on a store at the place, which runs nothing."""

    def begin(**options):
        scheduler = make_scheduler(jobstores={"default": place.store(**options)}, timezone="Europe/Berlin")
        scheduler.start(paused=True)
        return scheduler

    return begin


@pytest.fixture
def said(caplog):
    """What was said in the log with some words in it."""
    caplog.set_level(logging.INFO)
    return lambda words: [record.getMessage() for record in caplog.records if words in record.getMessage()]


HERE = Path(__file__).parent
OTHERS = HERE / "others"
OTHER_ENVIRONMENTS = HERE.parents[1] / ".other-schedulers-venvs"
LIBRARY = HERE.parents[1] / "src"


@pytest.fixture
def run_beside():
    """Runs a program of `others` where another scheduler is installed, with mainspring; what it prints."""

    def run(environment: str, program: str, *args: str) -> str:
        python = OTHER_ENVIRONMENTS / environment / "bin" / "python"
        if not python.exists():
            servers.missing(
                f"{environment} is not installed (scripts/install_other_schedulers.sh installs it)"
            )
        done = subprocess.run(
            [str(python), "-W", "ignore", str(OTHERS / program), *args],
            env={**os.environ, "PYTHONPATH": f"{LIBRARY}:{OTHERS}", "TZ": "UTC"},
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def postgres_database(postgres_url):
    """The URL of a database of PostgreSQL that no other test has."""
    url, name = make_url(postgres_url), f"moving_{uuid.uuid4().hex[:12]}"
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
