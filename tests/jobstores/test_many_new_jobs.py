"""Many jobs that are added at once: as each by itself, whichever way the database takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, make_url, text

from mainspring import BackgroundScheduler
from mainspring.errors import ConflictingIdError, StoreUnavailableError
from mainspring.jobstores.sqlalchemy.statements import _STREAMED_FROM, PostgreSQLStatements
from stores import open_store

MANY = 2 * _STREAMED_FROM
LATER = datetime(2100, 1, 1, tzinfo=UTC)
#: What a stream of rows has its own meaning for, or escapes.
ODD = [
    "a\tb",
    "a\nb",
    "a\r\nb",
    r"\N",
    r"\.",
    "\\",
    "\\t",
    '"',
    "'",
    ",",
    "{}",
    "äöü",
    "日本",
    "🕰",
    " ",
    "%s",
    "null",
    "",
]


@pytest.fixture
def scheduler(request, tmp_path, tablename):
    kind = getattr(request, "param", "postgres")
    url = f"sqlite:///{tmp_path}/jobs.sqlite" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    made = BackgroundScheduler(timezone="UTC", jobstores={"default": open_store(url, tablename)})
    made.start(paused=True)
    yield made
    made.shutdown()


def many(count=MANY, **others):
    return [
        {
            "func": print,
            "trigger": "date",
            "run_date": LATER + timedelta(seconds=number),
            "id": str(number),
            **others,
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("scheduler", ["sqlite", "postgres", "mariadb"], indirect=True)
def test_odd_values_are_read_as_they_were_written(scheduler):
    jobs = many()
    for number, job in enumerate(jobs):
        odd = ODD[number % len(ODD)]
        job |= {
            "id": f"{number} {odd}".strip(),
            "name": f"{odd}n",
            "args": [odd],
            "kwargs": {"end": odd},
            "tags": [f"{odd}t"],
            "priority": number - 9,
        }
    added = scheduler.add_jobs(jobs)
    assert len(added) == MANY
    for job, given in zip(added, jobs, strict=True):
        read = scheduler.get_job(given["id"])
        assert read.name == given["name"]
        assert read.args == tuple(given["args"])
        assert dict(read.kwargs) == given["kwargs"]
        assert read.next_run_time == given["run_date"]
        assert read == job


@pytest.mark.parametrize("scheduler", ["sqlite", "postgres", "mariadb"], indirect=True)
def test_an_id_that_is_there_already_keeps_all_of_them_out(scheduler):
    scheduler.add_job(print, "date", run_date=LATER, id="7")
    with pytest.raises(ConflictingIdError, match="7"):
        scheduler.add_jobs(many())
    assert [job.id for job in scheduler.get_jobs()] == ["7"]
    scheduler.add_jobs(many(), replace_existing=True)
    assert len(scheduler.get_jobs()) == MANY


def test_a_session_that_ends_in_the_middle_is_made_up_for(scheduler, monkeypatch):
    """The database ends the session while rows are on their way: they are added on another one, once each."""
    written, ended = PostgreSQLStatements._written, []

    def interrupted(self, rows):
        found = written(self, rows)
        yield from found[: len(found) // 2]
        if not ended:
            ended.append(True)
            with scheduler._stores["default"].engine.connect() as connection:
                count = connection.execute(
                    text(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND query LIKE 'COPY%' AND state = 'active'"
                    )
                ).scalar_one()
                assert count == 1
        yield from found[len(found) // 2 :]

    if scheduler._stores["default"].engine.dialect.driver != "psycopg":
        pytest.skip("only psycopg's rows are a stream")
    monkeypatch.setattr(PostgreSQLStatements, "_written", interrupted)
    scheduler.add_jobs(many())
    assert ended
    assert sorted(job.id for job in scheduler.get_jobs()) == sorted(str(number) for number in range(MANY))


def test_a_row_that_the_database_refuses_is_an_error_of_the_store(scheduler, monkeypatch):
    """What the database says of a row in a stream is told as of a row by itself."""
    written = PostgreSQLStatements._written
    monkeypatch.setattr(
        PostgreSQLStatements, "_written", lambda self, rows: [row[:-1] for row in written(self, rows)]
    )
    with pytest.raises(Exception, match="missing data for column") as raised:
        scheduler.add_jobs(many())
    assert not isinstance(raised.value, StoreUnavailableError)
    monkeypatch.undo()
    assert scheduler.get_jobs() == []
    scheduler.add_jobs(many())
    assert len(scheduler.get_jobs()) == MANY


def test_where_a_stream_is_not_taken_rows_are_sent_one_by_one(postgres_url, tablename):
    """As with row-level security, which PostgreSQL applies to no stream."""
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    role = f"limited_{tablename}"

    def run(*statements):
        with admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    first = BackgroundScheduler(timezone="UTC", jobstores={"default": open_store(postgres_url, tablename)})
    first.start(paused=True)
    first.shutdown()
    run(
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"ALTER TABLE {tablename} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY everything ON {tablename} USING (true) WITH CHECK (true)",
    )
    limited = make_url(postgres_url).set(username=role).render_as_string(False)
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": open_store(limited, tablename)})
    try:
        scheduler.start(paused=True)
        scheduler.add_jobs(many())
        scheduler.add_job(print, "date", run_date=LATER, id="one more")
        assert len(scheduler.get_jobs()) == MANY + 1
        with pytest.raises(ConflictingIdError):
            scheduler.add_jobs(many())
    finally:
        scheduler.shutdown()
        run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
        admin.dispose()
