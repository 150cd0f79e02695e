"""Users whom a server doesn't let in, or doesn't let do what a store does: at a start, and while nodes live."""

from __future__ import annotations

import re
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import psycopg
import pymysql
import pytest
import redis
from sqlalchemy.engine import make_url

import servers
from mainspring import BackgroundScheduler, RedisJobStore, SQLAlchemyJobStore
from mainspring.errors import ConfigurationError, StoreUnavailableError
from mainspring.jobstores.redis.rights import refuse_missing_rights
from mainspring.jobstores.redis.server import source, source_alone
from mainspring.jobstores.shared.audit import AuditEntry
from mainspring.model import Group, RunKey
from mainspring.retry import Retry
from mainspring.testing.conformance import SECOND, START, manual_run, record, submission
from mainspring.testing.conformance.backend import Nodes
from stores import with_driver
from waiting import wait_for

# One after another: they change users of servers that all processes share.
pytestmark = [pytest.mark.one_python, pytest.mark.xdist_group("settings of servers")]

RIGHT, SECRET = "right", "secret"


def refusal(store, caplog, *, passes=False):
    """What is said to whoever starts a scheduler on a store; at once, unless it may pass."""
    scheduler = BackgroundScheduler(
        timezone="UTC", jobstores={"default": store}, start_timeout=1 if passes else 60
    )
    with pytest.raises(StoreUnavailableError if passes else ConfigurationError) as raised:
        scheduler.start()
    told = str(raised.value)
    assert ("tried for" in told) is passes
    assert RIGHT not in re.sub("right='", "", told + caplog.text)
    assert SECRET not in told + caplog.text
    return told


# PostgreSQL, which asks everybody for a password


@pytest.fixture(scope="module")
def strict_postgres():
    try:
        server = servers.Postgres(password="ruler")
    except servers.ServerMissingError as error:
        servers.missing(str(error))
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as admin:
        for statement in (
            f"CREATE ROLE app LOGIN PASSWORD '{RIGHT}'",
            f"CREATE ROLE expired LOGIN PASSWORD '{RIGHT}' VALID UNTIL '2020-01-01'",
            f"CREATE ROLE crowded LOGIN PASSWORD '{RIGHT}' CONNECTION LIMIT 0",
            f"CREATE ROLE locked NOLOGIN PASSWORD '{RIGHT}'",
            f"CREATE ROLE rejected LOGIN PASSWORD '{RIGHT}'",
            f"CREATE ROLE unknown LOGIN PASSWORD '{RIGHT}'",
            "CREATE DATABASE jobs OWNER app",
            "CREATE DATABASE closed OWNER app ALLOW_CONNECTIONS false",
            "CREATE DATABASE crammed CONNECTION LIMIT 0",
            "CREATE DATABASE private",
            "REVOKE CONNECT ON DATABASE private FROM PUBLIC",
        ):
            admin.execute(statement)
        (server.folder / "data" / "pg_hba.conf").write_text(
            "host all rejected all reject\nhost all postgres,app,expired,crowded,locked,nobody all scram-sha-256\n"
        )
        admin.execute("SELECT pg_reload_conf()")
        yield server, admin
    server.stop()
    server.remove()


def postgres_url(server, driver, user="app", password=RIGHT, database="jobs"):
    login = f"{user}:{password}" if password else user
    return with_driver(f"postgresql+psycopg://{login}@127.0.0.1:{server.port}/{database}", driver)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize(
    ("login", "words"),
    [
        ({"password": SECRET}, ("password authentication failed", "check the user and the password")),
        ({"password": ""}, ("no password supplied", "check the user and the password")),
        ({"user": "nobody", "password": SECRET}, ("password authentication failed",)),
        ({"user": "expired"}, ("password authentication failed",)),
        ({"user": "locked"}, ("is not permitted to log in", "ALTER ROLE … LOGIN")),
        ({"user": "rejected"}, ("pg_hba.conf rejects", "let the server accept this user")),
        ({"user": "unknown"}, ("no pg_hba.conf entry", "let the server accept this user")),
        ({"database": "closed"}, ("not currently accepting connections", "ALLOW_CONNECTIONS true")),
        ({"database": "private"}, ("permission denied", "give this user the permission")),
    ],
    ids=str,
)
def test_postgresql_refuses_a_login(strict_postgres, driver, login, words, caplog):
    url = postgres_url(strict_postgres[0], driver, **login)
    told = refusal(SQLAlchemyJobStore(url), caplog)
    assert make_url(url).render_as_string(hide_password=True) in told
    for word in words:
        assert word in told


@pytest.mark.parametrize(
    ("driver", "login"), [("psycopg", {"user": "crowded"}), ("psycopg2", {"database": "crammed"})]
)
def test_postgresql_has_no_room_for_a_login_for_now(strict_postgres, driver, login, caplog):
    url = postgres_url(strict_postgres[0], driver, **login)
    assert "too many connections" in refusal(SQLAlchemyJobStore(url), caplog, passes=True)


# MariaDB


@pytest.fixture(scope="module")
def mariadb(mariadb_url):
    url = make_url(mariadb_url)
    admin = pymysql.connect(
        host=url.host, port=url.port, user=url.username, database=url.database, autocommit=True
    )
    cursor = admin.cursor()
    users = {
        "logins_app": "",
        "logins_expired": "PASSWORD EXPIRE",
        "logins_locked": "ACCOUNT LOCK",
        "logins_poor": "",
        "logins_crowded": "",
    }
    for name, how in users.items():
        cursor.execute(f"CREATE OR REPLACE USER {name}@'%' IDENTIFIED BY '{RIGHT}' {how}")
        if name != "logins_poor":
            cursor.execute(f"GRANT ALL ON {url.database}.* TO {name}@'%'")
    cursor.execute("CREATE OR REPLACE USER logins_foreign@'10.9.9.9' IDENTIFIED BY 'right'")
    cursor.execute("ALTER USER logins_crowded@'%' WITH MAX_USER_CONNECTIONS 1")
    yield url, cursor
    for name in users:
        cursor.execute(f"DROP USER {name}@'%'")
    cursor.execute("DROP USER logins_foreign@'10.9.9.9'")
    admin.close()


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        ("logins_app", SECRET, ("Access denied for user 'logins_app'", "check the user and the password")),
        ("logins_app", "", ("using password: NO", "check the user and the password")),
        ("logins_foreign", RIGHT, ("Access denied for user 'logins_foreign'",)),
        ("logins_expired", RIGHT, ("must SET PASSWORD", "a new password")),
        ("logins_locked", RIGHT, ("account is locked", "ACCOUNT UNLOCK")),
        ("logins_poor", RIGHT, ("to database", "give this user the permission")),
    ],
)
def test_mariadb_refuses_a_login(mariadb, driver, user, password, words, caplog):
    url = make_url(with_driver(mariadb[0].render_as_string(False), driver))
    url = url.set(username=user, password=password or None)
    told = refusal(SQLAlchemyJobStore(url), caplog)
    assert url.render_as_string(hide_password=True) in told
    for word in words:
        assert word in told


def test_mariadb_has_no_room_for_a_login_for_now(mariadb, caplog):
    url = mariadb[0].set(username="logins_crowded", password=RIGHT)
    with closing(pymysql.connect(host=url.host, port=url.port, user="logins_crowded", password=RIGHT)):
        assert "max_user_connections" in refusal(SQLAlchemyJobStore(url), caplog, passes=True)


# Redis


@pytest.fixture(scope="module")
def strict_redis():
    """A server with a password, and a client that has said it."""
    try:
        server = servers.RedisServer()
    except servers.ServerMissingError as error:
        servers.missing(str(error))
    with redis.Redis(port=server.port) as first:
        first.config_set("requirepass", RIGHT)
    with redis.Redis(port=server.port, password=RIGHT) as admin:
        yield server, admin
    server.stop()
    server.remove()


def redis_store(server, login, **options):
    return RedisJobStore(url=f"redis://{login}127.0.0.1:{server.port}/0", **options)


@pytest.mark.parametrize("login", [f":{SECRET}@", "", f"nobody:{SECRET}@"])
def test_redis_refuses_a_login(strict_redis, login, caplog):
    server, _ = strict_redis
    told = refusal(redis_store(server, login), caplog)
    assert f"redis://127.0.0.1:{server.port}/0" in told
    assert "check the user and the password" in told


def commands_of_scripts():
    """All that scripts ask the server for."""
    files_of = files("mainspring.jobstores.redis.scripts").iterdir()
    names = {file.name.removesuffix(".lua") for file in files_of} - {
        "adding",
        "commands",
        "guard",
        "next_due",
        "prelude",
        "rights",
    }
    call = re.compile(r"""(?:redis\.call|later|do_many|ask_many|act)\(\s*'([A-Z]+)'""")
    return {command for name in names for command in call.findall(source(name))}


def test_each_command_of_the_scripts_is_tried_at_a_start():
    tried = set(re.findall(r"try\('([A-Z]+)'", source_alone("commands")))
    assert tried == commands_of_scripts()


def test_each_command_that_is_refused_is_named(strict_redis):
    server, admin = strict_redis
    admin.execute_command("ACL", "SETUSER", "guest", "reset", "on", f">{RIGHT}", "~*", "&*", "+@all")
    backend = redis_store(server, f"guest:{RIGHT}@")._backend
    for command in sorted(commands_of_scripts()):
        admin.execute_command("ACL", "SETUSER", "guest", f"-{command}")
        with pytest.raises(ConfigurationError, match=rf"this user may not {command},"):
            refuse_missing_rights(backend.server)
        admin.execute_command("ACL", "SETUSER", "guest", f"+{command}")
        assert admin.dbsize() == 0 or command == "DEL"
        admin.flushall()
    refuse_missing_rights(backend.server)
    backend.close()


@pytest.mark.parametrize("command", ["DEL", "PUBLISH", "ZADD"])
def test_redis_refuses_a_command(strict_redis, command, caplog):
    server, admin = strict_redis
    rules = f"reset on >{RIGHT} ~* &* +@all -{command}"
    admin.execute_command("ACL", "SETUSER", "guest", *rules.split())
    told = refusal(redis_store(server, f"guest:{RIGHT}@"), caplog)
    assert re.search(rf"\b{command}\b", told, re.IGNORECASE)
    assert "give this user the permission" in told
    assert admin.dbsize() == 0 or command == "DEL"
    admin.flushall()


@pytest.mark.parametrize("rules", ["~other* &*", "~* resetchannels"])
def test_redis_refuses_keys_or_channels(strict_redis, rules, caplog):
    server, admin = strict_redis
    admin.execute_command("ACL", "SETUSER", "guest", "reset", "on", f">{RIGHT}", "+@all", *rules.split())
    assert "give this user the permission" in refusal(redis_store(server, f"guest:{RIGHT}@"), caplog)
    assert admin.dbsize() == 0


def test_a_right_that_is_taken_while_a_node_lives_leaves_nothing_half_done(strict_redis):
    """Each command in turn, at each thing that is written: all that the server holds stays as it was."""
    server, admin = strict_redis
    if int(admin.info("server")["redis_version"].split(".")[0]) < 7:
        pytest.skip("before Redis 7 a script can't tell what its user may do")
    admin.execute_command("ACL", "SETUSER", "guest", "reset", "on", f">{RIGHT}", "~*", "&*", "+@all")
    node = Nodes(lambda: redis_store(server, f"guest:{RIGHT}@")._backend).add()
    backend = node.backend
    backend.set_group(Group("g", limit=5))
    options = {"group": "g", "overlap": "buffer_all", "retry": Retry(3), "pause_after_failures": 5}
    backend.jobs.add([record("ended", every=1000)], None)
    backend.finish([node.ended(*node.due(0))], None)
    backend.jobs.add([record(name, every=10, priority=1, **options) for name in "ab"], None)
    (first, _) = node.due(0)
    backend.enqueue([manual_run(name, 100) for name in "ab"])
    ended = node.ended(first, "failed", error="no", retry_at=START + SECOND)
    first_key = RunKey("a", START, 1)
    writes = [
        lambda: backend.jobs.add([record("c")], None),
        lambda: backend.jobs.add([record("a", every=20)], lambda old, new: new),
        lambda: backend.jobs.change("a", lambda old: old.changed(name="other")),
        lambda: backend.jobs.remove("a"),
        backend.jobs.remove_all,
        lambda: node.claim(20, looks=True, ended=[ended]),
        lambda: node.claim(20),
        lambda: backend.finish([ended], None),
        lambda: backend.give_back(first, node.token, None),
        lambda: backend.release([submission(first)], lambda: True),
        lambda: backend.enqueue([manual_run("b", 200)]),
        lambda: backend.cancel(RunKey("b", START, 1)),
        lambda: backend.cancel(manual_run("b", 100).key),
        lambda: backend.report_progress({(first_key, node.token): "[1,2,3]"}, lambda: True),
        lambda: backend.prune(["ended"], 0, START),
        lambda: backend.audit.write([AuditEntry(START, "anna", "act")]),
        lambda: backend.set_group(Group("g", limit=1)),
        lambda: backend.remove_group("g"),
        lambda: backend.declare_dead(node.token, node.living()[node.token].heartbeat),
    ]

    def held():
        return {key: admin.dump(key) for key in admin.keys("*") if b":answer:" not in key}

    before = held()
    for command in sorted(commands_of_scripts()):
        admin.execute_command("ACL", "SETUSER", "guest", f"-{command}")
        for number, write in enumerate(writes):
            with pytest.raises(redis.exceptions.ResponseError):
                write()
            assert held() == before, (command, number)
        admin.execute_command("ACL", "SETUSER", "guest", f"+{command}")
    backend.finish([ended], None)
    assert backend.get_run(first_key).outcome == "failed"
    backend.close()
    admin.flushall()


# While nodes live


def change_password_of_postgres(admin, password):
    admin.execute(f"ALTER ROLE app PASSWORD '{password}'")
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")


def rename_role_of_postgres(admin, name, new):
    admin.execute(f"ALTER ROLE {name} RENAME TO {new}")
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'jobs'")


def change_password_of_mariadb(admin, password):
    admin.execute(f"SET PASSWORD FOR logins_app@'%' = PASSWORD('{password}')")
    admin.execute("KILL USER logins_app@'%'")


def change_password_of_redis(admin, password):
    admin.execute_command("ACL", "SETUSER", "app", "resetpass", f">{password}")
    for kind in ("normal", "pubsub"):
        admin.execute_command("CLIENT", "KILL", "TYPE", kind, "USER", "app")


@pytest.fixture(
    params=["password of postgres", "role of postgres", "password of mariadb", "password of redis"]
)
def revoked(request):
    """A store, and how its login is made wrong and right again; what is said of it."""
    what, _, kind = request.param.partition(" of ")
    if kind == "postgres":
        server, admin = request.getfixturevalue("strict_postgres")
        store = SQLAlchemyJobStore(postgres_url(server, "psycopg"), lease=2)
        if what == "role":
            yield (
                store,
                lambda: rename_role_of_postgres(admin, "app", "gone"),
                lambda: rename_role_of_postgres(admin, "gone", "app"),
            )
            return
        change = change_password_of_postgres
    elif kind == "mariadb":
        url, admin = request.getfixturevalue("mariadb")
        store = SQLAlchemyJobStore(
            url.set(username="logins_app", password=RIGHT), tablename="logins_jobs", lease=2
        )
        change = change_password_of_mariadb
    else:
        server, admin = request.getfixturevalue("strict_redis")
        admin.execute_command("ACL", "SETUSER", "app", "reset", "on", f">{RIGHT}", "~*", "&*", "+@all")
        store = redis_store(server, f"app:{RIGHT}@", lease=2)
        change = change_password_of_redis
    yield store, lambda: change(admin, "new"), lambda: change(admin, RIGHT)


def test_a_login_that_is_made_wrong_while_a_node_lives_is_told_and_works_when_it_is_right_again(
    revoked, caplog
):
    store, make_wrong, make_right = revoked
    caplog.set_level("INFO")
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": store})
    scheduler.start()
    try:
        scheduler.add_job(
            "operator:add", "interval", seconds=0.2, args=[1, 2], id="often", replace_existing=True
        )
        wait_for(lambda: scheduler.get_runs("often", outcome="succeeded"))
        make_wrong()
        try:
            wait_for(lambda: "set up in a way" in scheduler.health().store_errors.get("default", ""))
            assert not scheduler.health().ok
            # SQLAlchemy's pool may log more, of sessions that were ended.
            ours = [record for record in caplog.records if record.name.startswith("apscheduler")]
            errors = [record.getMessage() for record in ours if record.levelname == "ERROR"]
            assert "set up in a way that trying again doesn't mend" in errors[0]
            assert not any(record.exc_info for record in ours)
        finally:
            make_right()
        wait_for(lambda: scheduler.health().ok)
        wait_for(lambda: "works again" in caplog.text)
        since = scheduler.get_runs("often", limit=1)[0].scheduled_run_time
        wait_for(lambda: len(scheduler.get_runs("often", outcome="succeeded", since=since)) > 1)
        assert not scheduler.get_runs("often", outcome="lost")
        scheduler.remove_job("often")
    finally:
        scheduler.shutdown()
    assert RIGHT not in re.sub("right='", "", caplog.text)


def test_a_user_of_redis_with_the_rights_that_the_page_names_can_do_all(strict_redis):
    server, admin = strict_redis
    page = (Path(__file__).parents[2] / "docs" / "stores" / "redis.md").read_text()
    (line,) = re.findall(r"(?m)^ACL SETUSER jobs .*$", page)
    admin.execute_command(*line.split())
    scheduler = BackgroundScheduler(
        timezone="UTC", jobstores={"default": redis_store(server, "jobs:password@")}
    )
    scheduler.start()
    scheduler.set_group("few", limit=1)
    scheduler.add_job("operator:add", "interval", days=1, args=[20, 22], id="sum", group="few")
    assert scheduler.run_job("sum").wait(20).result == "42"
    scheduler.modify_job("sum", name="another")
    scheduler.remove_job("sum")
    scheduler.shutdown()
    admin.flushall()
