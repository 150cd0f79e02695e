"""The drivers that can be used besides the usual ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.testing.conformance import RunStoreConformance
from stores import with_driver

#: By the fixture that has the URL, and its variable.
DRIVERS = {"psycopg2": ("postgres_url", "POSTGRES"), "mysqldb": ("mariadb_url", "MARIADB")}
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=DRIVERS)
def driver_url(request):
    """A database that is asked by another driver."""
    return with_driver(request.getfixturevalue(DRIVERS[request.param][0]), request.param)


@pytest.mark.one_python
class TestOtherDrivers(RunStoreConformance):
    decides_unlocked = False

    @pytest.fixture
    def store(self, driver_url, tablename):
        store = SQLAlchemyJobStore(driver_url, tablename=tablename)
        store.start(None, "default")
        yield store
        store._held = 0
        store.shutdown()


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("driver", DRIVERS)
def test_all_tests_of_stores_with_another_driver(request, driver):
    fixture, kind = DRIVERS[driver]
    url = request.getfixturevalue(fixture)
    with_driver(url, driver)
    kinds = "postgres" if kind == "POSTGRES" else "mariadb"
    environment = {
        **os.environ,
        f"MAINSPRING_TEST_{kind}_URL": url,
        f"MAINSPRING_TEST_{kind}_DRIVER": driver,
    }
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-m", "not soak"),
            *("tests/jobstores", "tests/shared_store", "tests/runs", "-k", f"{kinds} and not test_drivers"),
        ],
        cwd=ROOT,
        env=environment,
        check=True,
    )
