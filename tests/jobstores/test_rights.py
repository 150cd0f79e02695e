"""Databases in which the program may not do everything, and in which others have tables."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, inspect, make_url, text

from mainspring.admin import Admin
from mainspring.admin.upkeep import checks, maintenance_of, prune
from mainspring.errors import ConfigurationError, JobLookupError
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore, without_job_tables
from mainspring.model import Group
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing.conformance import record


@pytest.fixture
def engine(database_url):
    """An administrator's."""
    made = create_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture(params=["postgres", "mariadb"])
def guest(request):
    """An administrator's engine, and the URL of a user who may nothing but connect and see the schema."""
    url = make_url(request.getfixturevalue(f"{request.param}_url"))
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    name, password = f"guest{uuid.uuid4().hex[:8]}", "right"
    with admin.connect() as connection:
        if request.param == "postgres":
            connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'"))
        else:
            connection.execute(text(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'"))
            connection.execute(text(f"GRANT CREATE TEMPORARY TABLES ON {url.database}.* TO '{name}'@'%'"))
    yield admin, url.set(username=name, password=password)
    with admin.connect() as connection:
        if request.param == "postgres":
            connection.execute(text(f"DROP OWNED BY {name}"))
            connection.execute(text(f"DROP ROLE {name}"))
        else:
            connection.execute(text(f"DROP USER '{name}'@'%'"))
    admin.dispose()


def run(engine, statements):
    with engine.begin() as connection:
        for statement in filter(None, map(str.strip, statements.split(";\n"))):
            connection.exec_driver_sql(statement)


def refused(store):
    scheduler = BackgroundScheduler(jobstores={"default": store}, start_timeout=5)
    with pytest.raises(ConfigurationError) as raised:
        scheduler.start()
    return str(raised.value)


def grantee(url):
    return f"'{url.username}'@'%%'" if url.get_backend_name() == "mysql" else url.username


@pytest.mark.parametrize("guest", ["postgres", "mariadb"], indirect=True)
def test_a_user_who_may_create_nothing_uses_tables_that_an_administrator_has_made(guest, tablename):
    admin, url = guest
    store = SQLAlchemyJobStore(url, tablename=tablename)
    said = refused(store)
    made = said.partition("\n\n")[2]
    assert made == store.pending_migration()

    run(admin, made)
    stem = tablename.removesuffix("_jobs")
    if store.kind == "mysql":  # it shows nobody what they may not use
        run(
            admin,
            ";\n".join(f"GRANT INSERT ON {table.name} TO {grantee(url)}" for table in store._backend.tables),
        )
    said = refused(store)
    assert f"GRANT SELECT ON {stem}_schema" in said
    grants = said[said.index("GRANT") :].split("; ")
    run(admin, ";\n".join(grants).replace("%", "%%"))  # as the message says, word for word
    for _ in range(2):
        said_or_started = BackgroundScheduler(jobstores={"default": store}, start_timeout=5)
        said_or_started.start()
        said_or_started.add_job(
            "operator:add", "interval", days=1, args=[20, 22], id="sum", replace_existing=True
        )
        assert said_or_started.run_job("sum").wait(20).result == "42"
        said_or_started.shutdown()

    run(admin, f"REVOKE UPDATE ON {stem}_runs FROM {grantee(url)}")
    said = refused(store)
    assert f"may not UPDATE {stem}_runs" in said
    assert said.count("GRANT") == 1


@pytest.mark.parametrize("kind", ["jobs", "runs", "nodes", "schema", "groups"])
def test_a_table_of_somebody_else_is_left_alone(engine, database_url, tablename, kind):
    name = f"{tablename.removesuffix('_jobs')}_{kind}"
    foreign = Table(name, MetaData(), Column("film", String(20)))
    foreign.create(engine)
    assert f"the table {name!r} is not a table of mainspring's" in refused(
        SQLAlchemyJobStore(database_url, tablename=tablename)
    )
    assert [table for table in inspect(engine).get_table_names() if table.startswith(name[:-5])] == [name]


def test_stores_on_one_metadata(database_url, tablename, started):
    metadata = MetaData()
    one, same, other = (
        started(SQLAlchemyJobStore(database_url, tablename=name, metadata=metadata))
        for name in (tablename, tablename, f"o{tablename}")
    )
    assert one.jobs_t is same.jobs_t
    one.add_records([record("a")], None)
    assert same.lookup_job("a") is not None
    assert other.lookup_job("a") is None


def test_a_metadata_with_another_table_of_that_name(tablename):
    metadata = MetaData()
    Table(f"{tablename.removesuffix('_jobs')}_runs", metadata, Column("film", String(20)))
    with pytest.raises(ConfigurationError, match="leave metadata out"):
        SQLAlchemyJobStore("sqlite://", tablename=tablename, metadata=metadata)


@pytest.mark.parametrize("on_metadata", [False, True])
def test_autogenerate_leaves_the_tables_of_stores_alone(
    engine, database_url, tablename, started, on_metadata
):
    metadata = MetaData()
    films = f"{tablename.removesuffix('_jobs')}_films"
    Table(films, metadata, Column("id", Integer, primary_key=True))
    options = {"metadata": metadata} if on_metadata else {}
    store = started(SQLAlchemyJobStore(database_url, tablename=tablename, **options))

    with engine.begin() as connection:  # as where APScheduler has left jobs
        connection.execute(text(f"CREATE TABLE {films[:-6]}_adopted (job_id INTEGER)"))

    def changes(**options):
        # Other tests have tables in this database as well, and they come and go.
        options["include_name"] = lambda name, kind, _: kind != "table" or name.startswith(films[:-6])
        with engine.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        flat = [one for change in found for one in (change if isinstance(change, list) else [change])]
        ours = {table.name for table in store._backend.tables} | {films, f"{films[:-6]}_adopted"}
        return [
            (change[0], change[1].name)
            for change in flat
            if change[0].endswith(("_table", "_index"))
            and getattr(change[1], "table", change[1]).name in ours
        ]

    if not on_metadata:
        assert ("remove_table", tablename) in changes()
    assert changes(include_object=without_job_tables(tablename)) == [("add_table", films)]
    assert (
        changes(include_object=without_job_tables(tablename, also=lambda _, name, *rest: name != films)) == []
    )


def test_ids_that_differ_by_spaces_at_the_end_or_by_case(database_url, tablename, started):
    store = started(SQLAlchemyJobStore(database_url, tablename=tablename))
    store.add_records([record("a"), record("A"), record("ä"), record(" a")], None)
    if store.kind == "mysql":
        with pytest.raises(
            ValueError, match="ends with a space, and MySQL and MariaDB take 'a ' and 'a' for the same"
        ):
            store.add_records([record("a ")], None)
        with pytest.raises(ValueError, match="ends with a space"):
            store.set_group(Group("g ", 1))
    else:
        store.add_records([record("a ")], None)
        store.remove("a ")
    assert store.lookup_job("a ") is None
    for ask in (store.remove, lambda job_id: store.change(job_id, lambda job: job)):
        with pytest.raises(JobLookupError):
            ask("a ")
    assert store.list_runs("a ", None, None, 10) == []
    assert {job.id for job in store.get_all_jobs()} == {"a", "A", "ä", " a"}


@pytest.mark.parametrize("tableschema", [None, "jobs_of_others"])
def test_what_db_grants_says_is_all_that_a_node_and_an_operator_need(guest, tablename, tableschema):
    """On PostgreSQL also in a schema that the user may not even look into otherwise."""
    admin, url = guest
    is_mysql = url.get_backend_name() == "mysql"
    if tableschema is not None and is_mysql:
        pytest.skip("a schema is a database there, which the fixture's user is known in by name")
    options = {"tablename": tablename, "tableschema": tableschema}
    with admin.connect() as connection:
        if tableschema is not None:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {tableschema}"))
    owner_url = admin.url.render_as_string(hide_password=False)
    with Admin(SQLAlchemyJobStore(owner_url, **options), makes=True) as owner:
        user = f"{url.username}@%" if is_mysql else url.username
        for statement in maintenance_of(owner.store).grants(user):
            with admin.connect() as connection:
                connection.exec_driver_sql(statement.replace("%", "%%"))
    of_guest = url.render_as_string(hide_password=False)
    node = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(of_guest, keep_runs=0, **options)})
    node.start()
    try:
        node.add_job("time:time", "interval", hours=1, id="a")
        with Admin(SQLAlchemyJobStore(of_guest, **options), who="anna") as operator:
            assert operator.run_job("a", timeout=30).state == "succeeded"
            assert sum(prune(operator, ["a"], 0, timedelta(days=1))) == 1
            operator.pause_job("a", note="ticket 12")
            assert [one.action for one in operator.audit()] == ["pause", "prune", "run"]
            assert [one.runs for one in operator.periods("a", "day", since=operator.now())] == [1]
            operator.store._prune()
            assert all(one.is_good for one in checks(operator))
            operator.remove_job("a")
        assert node.get_jobs() == []
    finally:
        node.shutdown()
