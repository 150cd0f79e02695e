"""Real servers: PostgreSQL, MariaDB, Redis and MongoDB (or SecantusDB) on free ports, with their data in temporary folders.

One of each serves a whole test run, however many processes the run has: the first test that needs it starts it, and the
run's first process ends it, by its pid. ``MAINSPRING_TEST_POSTGRES_URL``, ``MAINSPRING_TEST_MARIADB_URL`` and so on name others.

``python tests/servers.py FILE`` starts one of each for several test runs, writes these variables into a file that a shell can read,
and ends the servers when it is told to end by SIGTERM or SIGINT.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import make_url

_PATIENCE = 60
_SETTLING = 0.02


class ServerMissingError(Exception):
    """The server can't be had on this machine; the message says why."""


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _command(name: str, user: str) -> list[str]:
    """How to begin a command as a user who may run a server: root may not."""
    if os.getuid() != 0:
        return []
    try:
        pwd.getpwnam(user)
    except KeyError:
        raise ServerMissingError(f"{name} is not installed: there is no user {user}") from None
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]


def _folder(user: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mainspring-", dir="/tmp"))
    if os.getuid() == 0:
        shutil.chown(folder, user)
    folder.chmod(0o700)
    return folder


class Server:
    """One server process.

    Args:
        durable: keep what was committed over the end of the server, as a production server does. For tests that kill it,
            and for measurements; the others are faster without.
        port: any that is free, if not given.
    """

    user: str
    stop_signal: int

    def __init__(self, *, durable: bool = False, port: int | None = None) -> None:
        self.durable = durable
        self.process: subprocess.Popen | None = None
        self.folder = self._made()
        # Not before: its folder takes seconds to make, in which any connection of another test may be given the port.
        for is_last in (False, False, True):
            self.port = port or free_port()
            try:
                self.start()
            except RuntimeError:
                has_ended = self.process.poll() is not None
                if not has_ended:
                    self.kill()
                if port or is_last or not has_ended:
                    self.remove()
                    raise
            else:
                return

    def start(self) -> None:
        """Start it on its folder and port, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._arguments(), cwd="/", stdout=subprocess.DEVNULL, stderr=log)
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connect()
            except Exception as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    log = (self.folder / "log").read_text()[-2000:]
                    raise RuntimeError(f"{type(self).__name__} doesn't answer: {error}\n{log}") from error
                time.sleep(_SETTLING)
            else:
                return

    def stop(self) -> None:
        """End it in good order."""
        self.process.send_signal(self.stop_signal)
        self.process.wait(_PATIENCE)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(_PATIENCE)

    def remove(self) -> None:
        """Its data too."""
        shutil.rmtree(self.folder, ignore_errors=True)


_POSTGRES_OPTIONS = ["-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
_MARIADB_OPTIONS = [
    "--skip-test-db",
    "--skip-name-resolve",
    "--auth-root-authentication-method=normal",
    "--innodb-log-file-size=8M",
]


class Postgres(Server):
    """A PostgreSQL server, whose user is ``postgres``.

    Args:
        password: that user's, and then everybody needs one; the empty text: all are trusted.
    """

    user = "postgres"
    stop_signal = signal.SIGINT

    def __init__(self, *, password: str = "", **options: Any) -> None:
        self.password = password
        super().__init__(**options)

    def _made(self) -> Path:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
        if not found:
            raise ServerMissingError("PostgreSQL is not installed (apt-get install postgresql)")
        self.programs = found[-1].parent
        self.program = str(self.programs / "postgres")
        prefix = _command("PostgreSQL", self.user)
        folder = _folder(self.user)
        who = ["-A", "trust"]
        if self.password:
            (folder / "password").write_text(self.password)
            (folder / "password").chmod(0o644)
            who = ["-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]
        subprocess.run(
            [*prefix, self.programs / "initdb", "-D", folder / "data", *who, *_POSTGRES_OPTIONS],
            cwd="/",
            check=True,
            capture_output=True,
        )
        return folder

    def _arguments(self) -> list[str]:
        settings = [
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "max_connections=200",
        ]
        if not self.durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        given = [part for setting in settings for part in ("-c", setting)]
        return [
            *_command("PostgreSQL", self.user),
            self.program,
            "-D",
            str(self.folder / "data"),
            "-p",
            str(self.port),
            *given,
        ]

    def _connect(self) -> None:
        import psycopg

        psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=5).close()

    @property
    def url(self) -> str:
        user = f"postgres:{self.password}" if self.password else "postgres"
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/postgres"


class PgBouncer(Server):
    """A pooler in front of a PostgreSQL, which lends its sessions for one transaction each. Not one of `KINDS`: who needs it starts it.

    Args:
        behind: the URL of the PostgreSQL.
        settings: others than the usual ones, as in its file.
    """

    user = "postgres"
    stop_signal = signal.SIGTERM  # it would wait for its clients on SIGINT

    def __init__(self, behind: str, settings: dict[str, str] | None = None, **options: Any) -> None:
        self.behind = make_url(behind)
        self.settings = {"pool_mode": "transaction", **(settings or {})}
        super().__init__(**options)

    def _made(self) -> Path:
        self.program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if self.program is None:
            raise ServerMissingError("PgBouncer is not installed (apt-get install pgbouncer)")
        _command("PgBouncer", self.user)
        return _folder(self.user)

    def _arguments(self) -> list[str]:
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "auth_type": "any",
            "unix_socket_dir": "",
            "server_login_retry": "0.2",
            **self.settings,
        }
        lines = [
            "[databases]",
            f"* = host={self.behind.host} port={self.behind.port} user={self.behind.username}",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
        ]
        file = self.folder / "pgbouncer.ini"
        file.write_text("\n".join(lines))
        file.chmod(0o644)
        return [*_command("PgBouncer", self.user), self.program, str(file)]

    def _connect(self) -> None:
        import psycopg

        with psycopg.connect(
            self.url.replace("+psycopg", ""), connect_timeout=5, prepare_threshold=None, autocommit=True
        ) as connection:
            connection.execute("SELECT 1")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://{self.behind.username}@127.0.0.1:{self.port}/{self.behind.database}"


class MariaDB(Server):
    """A MariaDB server, whose user is ``root``, without password."""

    user = "mysql"
    stop_signal = signal.SIGTERM

    def _made(self) -> Path:
        program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise ServerMissingError("MariaDB is not installed (apt-get install mariadb-server)")
        self.program = program
        _command("MariaDB", self.user)
        folder = _folder(self.user)
        owner = [f"--user={self.user}"] if os.getuid() == 0 else []
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={folder}/data",
                f"--tmpdir={folder}",
                *_MARIADB_OPTIONS,
                *owner,
            ],
            check=True,
            capture_output=True,
        )
        return folder

    def _arguments(self) -> list[str]:
        settings = [
            "--no-defaults",
            f"--datadir={self.folder}/data",
            # A server that starts removes what others have in theirs.
            f"--tmpdir={self.folder}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder}/my.sock",
            f"--pid-file={self.folder}/my.pid",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=32M" if self.durable else "--innodb-log-file-size=8M",
            "--skip-log-bin",
            "--max-connections=200",
            "--character-set-server=utf8mb4",
        ]
        if not self.durable:
            settings.append("--innodb-flush-log-at-trx-commit=0")
        return [*_command("MariaDB", self.user), self.program, *settings]

    def _connect(self) -> None:
        import pymysql

        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=5)
        connection.cursor().execute("CREATE DATABASE IF NOT EXISTS mainspring")
        connection.close()

    @property
    def url(self) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/mainspring"


class RedisServer(Server):
    """A Redis server."""

    stop_signal = signal.SIGTERM

    def _made(self) -> Path:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            raise ServerMissingError("Redis is not installed (apt-get install redis-server)")
        self.program = program
        return Path(tempfile.mkdtemp(prefix="mainspring-", dir="/tmp"))

    def _arguments(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "daemonize": "no",
            "loglevel": "warning",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "always",
        }
        return [self.program, *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def _connect(self) -> None:
        import redis

        with redis.Redis(port=self.port, socket_connect_timeout=5) as client:
            client.ping()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


#: Where `scripts/install_servers.sh` puts SecantusDB.
_SECANTUS = Path(__file__).parents[1] / ".mongodb-venv" / "bin" / "secantusd-py"


class MongoDB(Server):
    """A server that speaks MongoDB's protocol: ``mongod``, or else SecantusDB, which is in the registry where MongoDB isn't.

    Args:
        alone: without a replica set, and so without change streams; ``mongod`` is always started so here.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, *, alone: bool = False, **options: Any) -> None:
        self.alone = alone
        super().__init__(**options)

    def _made(self) -> Path:
        program = shutil.which("mongod")
        self.is_real = program is not None
        if program is None:
            if not _SECANTUS.exists():
                raise ServerMissingError(
                    "there is neither mongod nor SecantusDB (scripts/install_servers.sh installs the latter)"
                )
            program = str(_SECANTUS)
        self.program = program
        folder = Path(tempfile.mkdtemp(prefix="mainspring-", dir="/tmp"))
        (folder / "data").mkdir()
        return folder

    def _arguments(self) -> list[str]:
        place = [self.program, "--port", str(self.port)]
        if self.is_real:
            return [*place, "--bind_ip", "127.0.0.1", "--dbpath", str(self.folder / "data"), "--quiet"]
        # Without the last, a crash of it takes back what it has acknowledged.
        options = ["--host", "127.0.0.1", "--log-level", "WARNING", "--sync-on-commit"]
        options += ["--standalone"] if self.alone else []
        return [*place, "--storage-path", str(self.folder / "data"), *options]

    def _connect(self) -> None:
        from pymongo import MongoClient

        with MongoClient(self.url, serverSelectionTimeoutMS=1000) as client:
            client.admin.command("ping")

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/"


KINDS = {"postgres": Postgres, "mariadb": MariaDB, "redis": RedisServer, "mongodb": MongoDB}


@contextmanager
def _locked(folder: Path):
    with (folder / "servers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / "servers.json"


#: Those that this process has started for the test run.
_started: list[Server] = []


def missing(what: str) -> NoReturn:
    """Leave the test out aloud; where servers are required, it fails."""
    if os.environ.get("MAINSPRING_REQUIRE_SERVERS"):
        pytest.fail(f"{what}, and here it must be there")
    pytest.skip(what)


def url_of(kind: str, folder: Path) -> str:
    """The URL of the test run's server of a kind, which is started if it wasn't yet.

    Args:
        folder: that all processes of the run know.

    Raises:
        ServerMissingError: it can't be had.
    """
    given = os.environ.get(f"MAINSPRING_TEST_{kind.upper()}_URL")
    if given:
        return given
    with _locked(folder) as notes:
        known = json.loads(notes.read_text()) if notes.exists() else {}
        if kind not in known:
            server = KINDS[kind]()
            _started.append(server)
            known[kind] = {
                "pid": server.process.pid,
                "url": server.url,
                "folder": str(server.folder),
                "program": Path(server.program).name,
            }
            notes.write_text(json.dumps(known))
        return known[kind]["url"]


def used(folder: Path) -> list[str]:
    """Which servers the test run has used, each in a few words."""
    given = [kind for kind in KINDS if f"MAINSPRING_TEST_{kind.upper()}_URL" in os.environ]
    words = [f"{kind}: the one of MAINSPRING_TEST_{kind.upper()}_URL" for kind in given]
    if (folder / "servers.json").exists():
        known = json.loads((folder / "servers.json").read_text())
        words += [f"{kind}: {server['program']}" for kind, server in known.items()]
    return words


def leave_running() -> None:
    """This process ends, and the servers that it has started go on: the run's first process will end them."""
    for server in _started:
        server.process.returncode = 0  # so that Python doesn't complain of a child that was left


def stop_all(folder: Path) -> None:
    """End the servers that the test run has started."""
    if not (folder / "servers.json").exists():
        return
    with _locked(folder) as notes:
        for kind, known in json.loads(notes.read_text()).items():
            own = [server for server in _started if server.process.pid == known["pid"]]
            if own:
                own[0].stop()
            else:
                _stop(known["pid"], KINDS[kind].stop_signal)
            shutil.rmtree(known["folder"], ignore_errors=True)
        notes.unlink(missing_ok=True)  # later runs of pytest remove the folders of those before them


def _stop(pid: int, stop_signal: int) -> None:
    end = time.monotonic() + _PATIENCE
    try:
        os.kill(pid, stop_signal)
        while time.monotonic() < end and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
            time.sleep(_SETTLING)
    except (ProcessLookupError, FileNotFoundError):
        return


def _serve(file: Path) -> None:
    asked_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_end.set())
    running = {}
    try:
        with ThreadPoolExecutor(len(KINDS)) as pool:
            starting = {
                kind: pool.submit(KINDS[kind])
                for kind in KINDS
                if f"MAINSPRING_TEST_{kind.upper()}_URL" not in os.environ
            }
        for kind, server in starting.items():
            if server.exception() is None:
                running[kind] = server.result()
            else:
                # The tests that need it will say that it is missing, or fail.
                print(f"No server of {kind}: {server.exception()}", file=sys.stderr)
        lines = [
            f"export MAINSPRING_TEST_{kind.upper()}_URL={server.url}\n" for kind, server in running.items()
        ]
        unfinished = file.with_suffix(".new")
        unfinished.write_text("".join(lines))
        unfinished.rename(file)  # so that whoever waits for it finds it whole
        asked_to_end.wait()
    finally:
        for server in running.values():
            server.stop()
            server.remove()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
