"""Where stores are attacked: servers and files of the tests' own, which may be stopped, filled and locked."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import servers
from stores import with_driver


class SmallDisk:
    """A file system in memory that has little room.

    Raises:
        ServerMissingError: only root may mount one.
    """

    def __init__(self, megabytes: int, owner: str | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mainspring-disk-", dir="/tmp"))
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(self.folder)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.folder.rmdir()
            why = getattr(error, "stderr", "") or str(error)
            raise servers.ServerMissingError(f"a small disk can't be mounted here: {why.strip()}") from None
        if owner is not None and os.getuid() == 0:
            shutil.chown(self.folder, owner)

    @contextmanager
    def full(self):
        """No room on it."""
        filler = self.folder / "filler"
        try:
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                for size in (65536, 512):  # what is left of a page, too
                    with suppress(OSError):
                        while True:
                            file.write(b"x" * size)
            yield
        finally:
            filler.unlink()

    def remove(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True, capture_output=True)
        self.folder.rmdir()


@contextmanager
def repeated(action, seconds: float = 0.1):
    """Do something again and again."""
    stopping = threading.Event()

    def repeat():
        while not stopping.wait(seconds):
            action()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _send(pids, number):
    """Signal processes of a server, which ends some of its own as it likes."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, rest = stat.read_text().rsplit(")", 1)
            if int(rest.split()[1]) == pid:
                found.append(int(name.split()[0]))
    return found


class Ground:
    """One kind of store.

    Attributes:
        url: where nodes find it.
        troubles: the names of what may be done to it, each a method that is a context.
    """

    kind: str
    url: str
    server: servers.Server | None = None
    troubles: tuple[str, ...] = ()

    def trouble(self, name: str):
        assert name in self.troubles, name
        return getattr(self, name)()

    @contextmanager
    def stopped(self):
        """The server is shut down, and started again."""
        self.server.stop()
        try:
            yield
        finally:
            self.server.start()

    @contextmanager
    def killed(self):
        """The server crashes, and is started again."""
        self.server.kill()
        try:
            yield
        finally:
            self.server.start()

    @contextmanager
    def frozen(self):
        """The server takes connections, and doesn't answer: its machine is paused, or its disk hangs."""
        stopped = _family(self.server.process.pid)
        _send(stopped, signal.SIGSTOP)
        try:
            yield
        finally:
            _send(stopped, signal.SIGCONT)

    @contextmanager
    def flapping(self):
        """The server comes and goes, and never stays for long."""

        def restart():
            self.server.stop()
            time.sleep(0.8)
            self.server.start()

        with repeated(restart, 0.5):
            yield

    def close(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server.remove()


class SqliteGround(Ground):
    kind = "sqlite"
    troubles = ("locked", "locked_for_all", "full")

    def __init__(self) -> None:
        self.disk: SmallDisk | None = None
        self._why = ""
        try:
            self.disk = SmallDisk(24)
            self._folder = self.disk.folder
        except servers.ServerMissingError as error:
            self._why = str(error)
            self._folder = Path(tempfile.mkdtemp(prefix="mainspring-", dir="/tmp"))
        self.file = self._folder / "jobs.sqlite"
        self.url = f"sqlite:///{self.file}"

    @contextmanager
    def _held(self, how: str):
        connection = sqlite3.connect(self.file, isolation_level=None, timeout=60, check_same_thread=False)
        try:
            connection.execute(f"BEGIN {how}")
            yield
        finally:
            connection.close()

    def locked(self):
        """Somebody's database browser keeps a transaction open that has written."""
        return self._held("IMMEDIATE")

    def locked_for_all(self):
        """Somebody's backup lets nobody read, either."""
        return self._held("EXCLUSIVE")

    def full(self):
        if self.disk is None:
            servers.missing(self._why)
        return self.disk.full()

    def close(self) -> None:
        if self.disk is not None:
            self.disk.remove()
        else:
            shutil.rmtree(self._folder)


class PostgresGround(Ground):
    kind = "postgres"
    troubles = (
        "stopped",
        "killed",
        "frozen",
        "read_only",
        "sessions_ended",
        "locked",
        "full",
        "closed_to_all",
        "no_room_for_connections",
        "login_refused",
        "flapping",
    )

    def __init__(self, server: servers.Postgres | None = None) -> None:
        self.server = server or servers.Postgres(durable=True)
        self.disk: SmallDisk | None = None
        self._why = ""
        place = ""
        try:
            self.disk = SmallDisk(48, "postgres")
            (self.disk.folder / "space").mkdir(mode=0o700)
            shutil.chown(self.disk.folder / "space", "postgres")
            self.ask(f"create tablespace small location '{self.disk.folder}/space'")
            place = " tablespace small"
        except servers.ServerMissingError as error:
            self._why = str(error)
        self.ask("create role app login", f"create database fire owner app{place}")
        self.url = f"postgresql+psycopg://app@127.0.0.1:{self.server.port}/fire"

    def _connection(self, database: str = "postgres"):
        import psycopg

        url = f"postgresql://postgres@127.0.0.1:{self.server.port}/{database}"
        return psycopg.connect(url, autocommit=True)

    def ask(self, *statements: str) -> None:
        with self._connection() as connection:
            for statement in statements:
                connection.execute(statement)

    _END = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'fire' and usename = 'app'"

    @contextmanager
    def read_only(self):
        """As after a failover: other sessions, on a server that isn't to be written to."""
        self.ask("alter database fire set default_transaction_read_only = on", self._END)
        try:
            yield
        finally:
            self.ask("alter database fire set default_transaction_read_only = off", self._END)

    @contextmanager
    def sessions_ended(self):
        """Somebody ends all sessions, again and again."""
        with repeated(lambda: self.ask(self._END)):
            yield

    @contextmanager
    def locked(self):
        """Somebody's migration waits for a prompt, with a lock of all tables."""
        with self._connection("fire") as connection, connection.transaction():
            for (name,) in connection.execute(
                "select tablename from pg_tables where schemaname = 'public'"
            ).fetchall():
                connection.execute(f'lock table "{name}" in access exclusive mode')
            yield

    @contextmanager
    def full(self):
        if self.disk is None:
            servers.missing(self._why)
        with self.disk.full():
            yield

    @contextmanager
    def closed_to_all(self):
        self.ask("alter database fire allow_connections false", self._END)
        try:
            yield
        finally:
            self.ask("alter database fire allow_connections true")

    @contextmanager
    def no_room_for_connections(self):
        self.ask("alter role app connection limit 0", self._END)
        try:
            yield
        finally:
            self.ask("alter role app connection limit -1")

    @contextmanager
    def login_refused(self):
        self.ask("alter role app nologin", self._END)
        try:
            yield
        finally:
            self.ask("alter role app login")

    def close(self) -> None:
        super().close()
        if self.disk is not None:
            self.disk.remove()


class Psycopg2Ground(PostgresGround):
    """By the other driver."""

    kind = "postgres-psycopg2"
    troubles = ("stopped", "killed", "read_only", "sessions_ended", "locked", "closed_to_all", "flapping")

    def __init__(self) -> None:
        super().__init__()
        self.url = with_driver(self.url, "psycopg2")


class PoolerGround(PostgresGround):
    """Through a pooler that lends sessions for one transaction each.

    Not `locked`: what looks is a transaction there, with which the trouble itself may be in a deadlock.
    """

    kind = "pooler"
    troubles = (
        "stopped",
        "killed",
        "read_only",
        "sessions_ended",
        "flapping",
        "pooler_killed",
        "pooler_frozen",
    )

    def __init__(self) -> None:
        super().__init__()
        try:
            self.pooler = servers.PgBouncer(self.url, {"default_pool_size": "20"})
        except servers.ServerMissingError:
            super().close()
            raise
        self.url = self.pooler.url

    @contextmanager
    def pooler_killed(self):
        self.pooler.kill()
        try:
            yield
        finally:
            self.pooler.start()

    @contextmanager
    def pooler_frozen(self):
        os.kill(self.pooler.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pooler.process.pid, signal.SIGCONT)

    def close(self) -> None:
        self.pooler.stop()
        self.pooler.remove()
        super().close()


class _SmallMariaDB(servers.MariaDB):
    """All tables in one file that may not grow.

    Attributes:
        room: megabytes.
    """

    room = 28

    def _arguments(self) -> list[str]:
        return [
            *super()._arguments(),
            "--innodb-file-per-table=0",
            f"--innodb-data-file-path=ibdata1:12M:autoextend:max:{self.room}M",
            "--innodb-autoextend-increment=1",
        ]


class MariaDBGround(Ground):
    kind = "mariadb"
    troubles = (
        "stopped",
        "killed",
        "frozen",
        "read_only",
        "sessions_ended",
        "locked",
        "locked_for_backup",
        "rows_locked",
        "full",
        "password_changed",
        "no_room_for_connections",
        "flapping",
    )

    def __init__(self) -> None:
        self.server = _SmallMariaDB(durable=True)
        # Unlike root it may not write to a server that is only to be read.
        self.ask(
            "create database fire",
            "create user app@'127.0.0.1'",
            "grant all on fire.* to app@'127.0.0.1'",
        )
        self.url = f"mysql+pymysql://app@127.0.0.1:{self.server.port}/fire"

    def _connection(self):
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.server.port, user="root", database="mysql", autocommit=True
        )

    def ask(self, *statements: str) -> list[tuple]:
        connection = self._connection()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def _end_sessions(self) -> None:
        for (number,) in self.ask("select id from information_schema.processlist where user = 'app'"):
            with suppress(Exception):  # it may have ended meanwhile
                self.ask(f"kill {number}")

    @contextmanager
    def read_only(self):
        self.ask("set global read_only = 1")
        self._end_sessions()
        try:
            yield
        finally:
            self.ask("set global read_only = 0")

    @contextmanager
    def sessions_ended(self):
        with repeated(self._end_sessions):
            yield

    @contextmanager
    def password_changed(self):
        self.ask("set password for app@'127.0.0.1' = password('new')")
        self._end_sessions()
        try:
            yield
        finally:
            self.ask("set password for app@'127.0.0.1' = ''")

    @contextmanager
    def no_room_for_connections(self):
        """Others have taken all connections that there may be."""
        import pymysql

        self.ask("create user if not exists crowd@'127.0.0.1'")
        own = self._connection()  # there will be no room for another
        others = []

        def crowd():
            with own.cursor() as cursor:
                cursor.execute("kill user app@'127.0.0.1'")
            with suppress(pymysql.MySQLError):
                while True:
                    others.append(pymysql.connect(host="127.0.0.1", port=self.server.port, user="crowd"))

        try:
            with own.cursor() as cursor:
                cursor.execute("set global max_connections = 10")
            crowd()
            with repeated(crowd):
                yield
        finally:
            with own.cursor() as cursor:
                cursor.execute("set global max_connections = 200")
            for connection in [own, *others]:
                connection.close()

    @contextmanager
    def _session(self, statement: str):
        connection = self._connection()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                cursor.fetchall()
                yield
        finally:
            connection.close()

    def _tables(self) -> list[str]:
        rows = self.ask("select table_name from information_schema.tables where table_schema = 'fire'")
        return [name for (name,) in rows]

    def locked(self):
        """Somebody's dump has locked the tables."""
        return self._session("lock tables " + ", ".join(f"fire.`{name}` write" for name in self._tables()))

    def locked_for_backup(self):
        """All may be read, and nothing written."""
        return self._session("flush tables with read lock")

    @contextmanager
    def rows_locked(self):
        """Somebody's forgotten transaction has locked all rows."""
        connection = self._connection()
        try:
            connection.begin()
            with connection.cursor() as cursor:
                for name in self._tables():
                    cursor.execute(f"select * from fire.`{name}` for update")
                    cursor.fetchall()
            yield
        finally:
            connection.close()

    @contextmanager
    def full(self):
        """What ends it is more room: to drop something, a full MariaDB needs some."""
        self.ask(
            "create table if not exists mysql.filler (id int auto_increment primary key, x longblob)"
            " engine=innodb"
        )
        for size in (1_000_000, 100_000, 8000, 2000):
            with suppress(Exception):
                while True:
                    self.ask(f"insert into mysql.filler (x) values (repeat('x', {size}))")
        try:
            yield
        finally:
            self.server.kill()
            self.server.room += 24
            self.server.start()


class MysqlclientGround(MariaDBGround):
    """By the other driver."""

    kind = "mariadb-mysqlclient"
    troubles = (
        "stopped",
        "killed",
        "read_only",
        "sessions_ended",
        "rows_locked",
        "password_changed",
        "flapping",
    )

    def __init__(self) -> None:
        super().__init__()
        self.url = with_driver(self.url, "mysqldb")


class RedisGround(Ground):
    kind = "redis"
    troubles = (
        "stopped",
        "killed",
        "frozen",
        "read_only",
        "sessions_ended",
        "full",
        "paused",
        "busy",
        "no_replicas",
        "password_changed",
        "no_room_for_connections",
        "flapping",
    )

    def __init__(self) -> None:
        self.server = servers.RedisServer(durable=True)
        self.url = self.server.url

    @contextmanager
    def _client(self, **options):
        import redis

        with redis.Redis(port=self.server.port, **options) as client:
            yield client

    def ask(self, *words: object, **options: object):
        with self._client(**options) as client:
            return client.execute_command(*words)

    @contextmanager
    def read_only(self):
        """It has become a replica, of a server that can't be reached."""
        self.ask("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            self.ask("REPLICAOF", "NO", "ONE")

    @contextmanager
    def sessions_ended(self):
        def end():
            self.ask("CLIENT", "KILL", "TYPE", "normal")
            self.ask("CLIENT", "KILL", "TYPE", "pubsub")

        with repeated(end):
            yield

    @contextmanager
    def _set(self, name: str, value: str, back: str):
        self.ask("CONFIG", "SET", name, value)
        try:
            yield
        finally:
            self.ask("CONFIG", "SET", name, back)

    def full(self):
        return self._set("maxmemory", "1", "0")

    @contextmanager
    def no_room_for_connections(self):
        with self._client() as client:
            client.config_set("maxclients", 1)
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")
            try:
                yield
            finally:
                client.config_set("maxclients", 1000)

    def no_replicas(self):
        return self._set("min-replicas-to-write", "1", "0")

    @contextmanager
    def paused(self):
        self.ask("CLIENT", "PAUSE", "600000", "WRITE")
        try:
            yield
        finally:
            self.ask("CLIENT", "UNPAUSE")

    @contextmanager
    def busy(self):
        """Somebody's script doesn't end."""

        def occupy():
            with suppress(Exception):
                self.ask("EVAL", "while true do end", "0", socket_timeout=600)

        self.ask("CONFIG", "SET", "busy-reply-threshold", "200")
        thread = threading.Thread(target=occupy)
        thread.start()
        try:
            yield
        finally:
            self.ask("SCRIPT", "KILL")
            thread.join()

    @contextmanager
    def password_changed(self):
        self.ask("CONFIG", "SET", "requirepass", "new")
        self.ask("CLIENT", "KILL", "TYPE", "normal", password="new")
        self.ask("CLIENT", "KILL", "TYPE", "pubsub", password="new")
        try:
            yield
        finally:
            self.ask("CONFIG", "SET", "requirepass", "", password="new")


class _MongoDBForTests(servers.MongoDB):
    def _arguments(self) -> list[str]:
        arguments = super()._arguments()
        if self.is_real:
            return [*arguments, "--setParameter", "enableTestCommands=1"]
        return [*arguments, "--enable-test-commands"]


_WRITES = ["insert", "update", "delete", "findAndModify"]


class MongoDBGround(Ground):
    kind = "mongodb"
    troubles = ("stopped", "killed", "frozen", "read_only", "full", "sessions_ended", "flapping")

    def __init__(self) -> None:
        self.server = _MongoDBForTests()
        self.url = self.server.url

    @contextmanager
    def _failing(self, commands: list[str], **how: object):
        from pymongo import MongoClient

        with MongoClient(self.url) as client:
            client.admin.command(
                "configureFailPoint",
                "failCommand",
                mode="alwaysOn",
                data={"failCommands": commands, **how},
            )
        try:
            yield
        finally:
            with MongoClient(self.url) as client:
                client.admin.command("configureFailPoint", "failCommand", mode="off")

    def read_only(self):
        """It is the primary no more."""
        return self._failing(_WRITES, errorCode=10107)

    def full(self):
        return self._failing(_WRITES, errorCode=14031)

    def sessions_ended(self):
        return self._failing([*_WRITES, "find", "aggregate"], closeConnection=True)


GROUNDS = {
    ground.kind: ground
    for ground in (
        SqliteGround,
        PostgresGround,
        Psycopg2Ground,
        PoolerGround,
        MariaDBGround,
        MysqlclientGround,
        RedisGround,
        MongoDBGround,
    )
}
