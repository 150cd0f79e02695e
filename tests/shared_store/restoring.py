"""Backups of each kind of store, taken and restored as people do it, while nodes are at work or not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import servers


class _File:
    """SQLite, restored by its own backup, which takes the place of the content while others use the file."""

    def __init__(self, folder: Path) -> None:
        self._file, self._copy = folder / "jobs.sqlite", folder / "backup.sqlite"
        self.url = f"sqlite:///{self._file}"

    def back_up(self) -> None:
        self._copied(self._file, self._copy)

    def restore(self) -> None:
        self._copied(self._copy, self._file)

    @staticmethod
    def _copied(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as found, closing(sqlite3.connect(target, timeout=60)) as to:
            found.backup(to)

    def close(self) -> None:
        """The folder is the test's."""


class _ReplacedFile(_File):
    """SQLite, restored by putting another file in the place of the first."""

    def restore(self) -> None:
        new = self._copy.with_suffix(".new")
        shutil.copy(self._copy, new)
        for more in ("-wal", "-shm"):
            Path(f"{self._file}{more}").unlink(missing_ok=True)
        os.replace(new, self._file)


class _Postgres:
    """PostgreSQL, by pg_dump and psql."""

    def __init__(self, folder: Path) -> None:
        self._server = servers.Postgres()
        self.url = self._server.url
        self._dump = folder / "dump.sql"

    def _run(self, program: str, *arguments: str) -> str:
        address = ["-h", "127.0.0.1", "-p", str(self._server.port), "-U", "postgres", *arguments]
        return subprocess.run(
            [self._server.programs / program, *address, "postgres"],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    def back_up(self) -> None:
        self._dump.write_text(self._run("pg_dump", "--clean", "--if-exists"))

    def restore(self) -> None:
        self._run("psql", "-q", "--single-transaction", "-v", "ON_ERROR_STOP=1", "-f", str(self._dump))

    def close(self) -> None:
        self._server.stop()
        self._server.remove()


class _MariaDB:
    """MariaDB, by mariadb-dump and mariadb."""

    def __init__(self, folder: Path) -> None:
        self._server = servers.MariaDB()
        self.url = self._server.url
        self._dump = folder / "dump.sql"

    def _run(self, program: str, *arguments: str, **options: object) -> str:
        address = ["-h", "127.0.0.1", "-P", str(self._server.port), "-u", "root", *arguments]
        return subprocess.run(
            [program, "--no-defaults", *address, "mainspring"],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        ).stdout

    def back_up(self) -> None:
        self._dump.write_text(self._run("mariadb-dump", "--single-transaction"))

    def restore(self) -> None:
        with self._dump.open() as dump:
            self._run("mariadb", stdin=dump)

    def close(self) -> None:
        self._server.stop()
        self._server.remove()


class _Redis:
    """Redis, by its file, with which it is started again."""

    def __init__(self, folder: Path) -> None:
        self._server = servers.RedisServer()
        self.url = self._server.url
        self._copy = folder / "backup.rdb"

    def back_up(self) -> None:
        import redis

        with redis.Redis.from_url(self.url) as client:
            client.save()
        shutil.copy(self._server.folder / "dump.rdb", self._copy)

    def restore(self) -> None:
        self._server.kill()
        shutil.copy(self._copy, self._server.folder / "dump.rdb")
        self._server.start()

    def close(self) -> None:
        self._server.stop()
        self._server.remove()


class _MongoDB:
    """MongoDB, by copies of all documents, in the way of mongodump and mongorestore."""

    def __init__(self, folder: Path) -> None:
        self._server = servers.MongoDB()
        self.url = self._server.url
        self._copy: dict[str, list] = {}

    def _database(self):
        from pymongo import MongoClient

        return MongoClient(self.url)

    def back_up(self) -> None:
        with self._database() as client:
            database = client["mainspring_tests"]
            self._copy = {name: list(database[name].find()) for name in database.list_collection_names()}

    def restore(self) -> None:
        with self._database() as client:
            database = client["mainspring_tests"]
            for name, documents in self._copy.items():
                database[name].delete_many({})
                if documents:
                    database[name].insert_many(documents)

    def close(self) -> None:
        self._server.stop()
        self._server.remove()


KINDS = {
    "sqlite": _File,
    "sqlite-replaced": _ReplacedFile,
    "postgres": _Postgres,
    "mariadb": _MariaDB,
    "redis": _Redis,
    "mongodb": _MongoDB,
}
