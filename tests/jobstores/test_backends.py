"""Each database behind our shared stores is put through what every one must do."""

import uuid

import pytest

from mainspring.testing.conformance import BackendConformance
from stores import MONGODB, open_store

pytestmark = pytest.mark.one_python

#: To make tables takes a server longer than all that is done with them: these are used by one test after another.
TABLENAME = f"t{uuid.uuid4().hex[:12]}_jobs"


class TestBackends(BackendConformance):
    @pytest.fixture(params=["redis", MONGODB])
    def make_backend(self, request, tablename):
        url = request.getfixturevalue(f"{request.param}_url")
        return lambda: open_store(url, tablename)._backend


class TestSQLBackends(BackendConformance):
    @pytest.fixture(params=["sqlite", "postgres", "mariadb"])
    def make_backend(self, request, tmp_path):
        url = (
            f"sqlite:///{tmp_path}/jobs.sqlite"
            if request.param == "sqlite"
            else request.getfixturevalue(f"{request.param}_url")
        )

        def make():
            return open_store(url, TABLENAME)._backend

        yield make
        backend = make()
        with backend.database.writing() as connection:
            for table in {*backend.tables} - {backend.tables.schema}:
                connection.execute(table.delete())
            if backend.adoptions._is_there(connection):
                connection.execute(backend.adoptions._marks.delete())
        backend.close()
