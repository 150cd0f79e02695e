"""What failed is found by an index of what ended not well, and not by reading a million runs."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from mainspring.admin import Admin
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.model import TROUBLE


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_runs_that_ended_not_well_are_found_by_their_index(database_url, tablename):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    asked = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def keep(_connection, _cursor, statement, parameters, *_):
        if " ORDER BY " in statement and "_runs" in statement:
            asked.append((statement, parameters))

    with Admin(store, makes=True) as admin:
        for state in TROUBLE:
            admin.runs(state=state, since=admin.now())
        assert len(asked) == len(TROUBLE)
        explain = "EXPLAIN" if store.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        with store.engine.connect() as connection:
            if explain == "EXPLAIN":
                connection.exec_driver_sql("SET enable_seqscan = off")
                connection.exec_driver_sql(f"DROP INDEX ix_{store._backend.tables.runs.name}_scheduled")
            for statement, parameters in asked[: len(TROUBLE)]:
                rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
                plan = " ".join(str(row) for row in rows)
                assert f"ix_{store._backend.tables.runs.name}_trouble" in plan
