"""What the URL of a database says: slips that are understood or corrected by name, and the drivers that a job store can use.

Only the drivers listed here are tested with the store. With any other a store could start and then run nothing, so they are refused.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mainspring.coercion import nearest
from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.names import OF_DATABASES, SQLITE, flaw_of, refuse_unknown_place
from mainspring.masking import without_secrets
from mainspring.storable import is_storable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.engine.interfaces import Dialect


class _Driver(NamedTuple):
    """A driver that a job store can use."""

    name: str  # as it is in a URL
    module: str
    shown: str
    extra: str | None = None  # of this project


_SQLITE = (_Driver("pysqlite", "sqlite3", "sqlite3"),)
_POSTGRESQL = (
    _Driver("psycopg", "psycopg", "psycopg", "postgresql"),
    _Driver("psycopg2", "psycopg2", "psycopg2", "psycopg2"),
)
_MYSQL = (
    _Driver("mysqldb", "MySQLdb", "mysqlclient (mysqldb)", "mysqlclient"),
    _Driver("pymysql", "pymysql", "pymysql", "mysql"),
)
#: By the name of the database in a URL. Of several drivers a URL that names none takes the first that is installed.
_DRIVERS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL, "mysql": _MYSQL, "mariadb": _MYSQL}
#: What is installed where there is no driver at all: it needs no compiler.
_EXTRAS = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
#: Names that can mean only one thing.
_SYNONYMS = {"postgres": "postgresql"}
_DRIVER_SYNONYMS = {"psycopg3": "psycopg", "mysqlclient": "mysqldb", "sqlite3": "pysqlite"}
#: Other spellings of databases, for the hint.
_SPELLINGS = {
    **{name: name for name in _DRIVERS},
    "postgres": "postgresql",
    "postgre": "postgresql",
    "pgsql": "postgresql",
    "psql": "postgresql",
    "pg": "postgresql",
    "sqlite3": "sqlite",
    "my": "mysql",
    "maria": "mariadb",
}
#: Stores of other kinds, by the name in their URL.
_ELSEWHERE = {
    "mongodb": "MongoDBJobStore",
    "mongodb+srv": "MongoDBJobStore",
    "redis": "RedisJobStore",
    "rediss": "RedisJobStore",
    "unix": "RedisJobStore",
    "valkey": "RedisJobStore",
}
_KNOWN = "SQLite, PostgreSQL, MySQL and MariaDB"
_EXAMPLES = '"sqlite:///jobs.sqlite" or "postgresql+psycopg://user@host/database"'


def where_of(url: URL) -> str:
    """A URL as people may see it."""
    return without_secrets(url.render_as_string(hide_password=True))


def checked_url(url: str | URL, *, needs_driver: bool = False) -> URL:
    """A URL of a database and a driver that a job store can use.

    Args:
        url: as a program gives it. Spaces around it, ``postgres://`` and ``psycopg3`` are understood; other slips are errors that say
            what was meant.
        needs_driver: whether the driver must be installed.

    Raises:
        ConfigurationError: it is no URL, names something that isn't known, or its driver isn't installed.
    """
    address = _with_driver(_with_known_name(_parsed(url)))
    refuse_unknown_driver(address.get_dialect(), address)
    _refuse_unknown_names(address)
    if needs_driver:
        try:
            address.get_dialect().import_dbapi()
        except ImportError as error:
            raise ConfigurationError(
                f"the driver of {where_of(address)} is not installed ({error}): {_installation_of(address)}"
            ) from error
    return address


def refuse_no_database(address: URL) -> None:
    """See to it that a URL says which database it means, where the server takes none by itself.

    Raises:
        ConfigurationError: it doesn't.
    """
    if address.get_backend_name() in ("mysql", "mariadb") and not address.database:
        raise ConfigurationError(
            f"the url {where_of(address)} names no database: give one behind the host, such as mysql+pymysql://user@host/database"
        )


def _refuse_unknown_names(address: URL) -> None:
    """See to it that what a URL names can be called so.

    Raises:
        ConfigurationError: it can't.
    """
    named = {"user": address.username, "password": address.password}
    for part, text in named.items():
        if text and not is_storable(str(text)):
            raise ConfigurationError(
                f"the url of a job store has a {part} with the character NUL, or with characters that are no text: correct it"
            )
    rule = OF_DATABASES.get(address.get_backend_name())
    flaw = flaw_of(address.database, rule) if rule is not None and address.database else None
    if flaw is not None:
        what = "file" if rule is SQLITE else "database"
        raise ConfigurationError(
            f"the url of a job store names a {what} that can't be {address.database!r}: {flaw}"
        )
    for host in (address.host or "").split(","):
        refuse_unknown_place(host, address.port)


def checked_engine(engine: Engine) -> Engine:
    """An engine that a job store can use.

    Raises:
        ConfigurationError: it is none, or one for event loops, or its driver isn't known.
    """
    dialect: Any = getattr(engine, "dialect", None)
    if dialect is None:
        of_extension = (
            " Of Flask-SQLAlchemy's extension, give db.engine."
            if type(engine).__module__.startswith("flask_sqlalchemy")
            else ""
        )
        raise ConfigurationError(
            f"engine must be an engine of SQLAlchemy, as create_engine makes it, or a reference to one such as 'myapp.db:engine'; "
            f"got {type(engine).__name__}.{of_extension}"
        )
    if not hasattr(engine, "pool") and not getattr(dialect, "is_async", False):
        raise ConfigurationError(
            f"engine must be one that connects, as create_engine makes it; got {type(engine).__name__}"
        )
    refuse_unknown_driver(dialect, getattr(engine, "url", None))
    return engine


def refuse_unknown_driver(dialect: Dialect | type[Dialect], url: URL | None) -> None:
    """See to it that the store is tested with a database and a driver.

    Raises:
        ConfigurationError: it isn't; the message names a driver that can be used.
    """
    database, driver = dialect.name, dialect.driver
    known = _DRIVERS.get(database)
    if known is None:
        raise ConfigurationError(
            f"a SQLAlchemyJobStore keeps jobs in {_KNOWN}, and {database!r} is none of them: give one of those, or another kind of job store"
        )
    if dialect.is_async:
        raise ConfigurationError(
            f"a SQLAlchemyJobStore takes no async engine or driver ({driver}): it asks the database from threads of its own, and no event "
            f"loop waits for it. Use create_engine, or a url, with {_named(known)}{_instead(url, database, known)}"
        )
    if driver not in {one.name for one in known}:
        raise ConfigurationError(
            f"a SQLAlchemyJobStore can't use the driver {driver!r}: with {database} it is tested with {_named(known)}, and with no other"
            f"{_instead(url, database, known)}"
        )


def _named(drivers: tuple[_Driver, ...]) -> str:
    return " or ".join(one.shown for one in drivers)


def _instead(url: URL | None, database: str, known: tuple[_Driver, ...]) -> str:
    if url is None or not url.drivername:
        return ""
    driver = _preferred(known)
    name = database if known is _SQLITE else f"{database}+{driver.name}"
    install = "" if _is_installed(driver) else f' (pip install "mainspring[{driver.extra}]")'
    # What is asked for behind the "?" means something to the other driver only.
    return f": {where_of(url.set(drivername=name, query={}))}{install}"


def _is_installed(driver: _Driver) -> bool:
    return find_spec(driver.module) is not None


def _preferred(known: tuple[_Driver, ...]) -> _Driver:
    """The first that is installed; if none is, the one that needs no compiler."""
    simplest = known[-1] if known is _MYSQL else known[0]
    return next(filter(_is_installed, known), simplest)


def _parsed(url: str | URL) -> URL:
    if not isinstance(url, str):
        if hasattr(url, "drivername"):
            return url
        raise ConfigurationError(
            f"the url of a job store must be text, or a URL of SQLAlchemy, got {type(url).__name__}: give one such as {_EXAMPLES}"
        )
    text = url.strip()
    try:
        address = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            f"the url of a job store is none that SQLAlchemy knows ({without_secrets(str(error))}): "
            f"{'its port must be a number' if isinstance(error, ValueError) else _correction_of(text)}"
        ) from error
    if address.get_backend_name() == "sqlite" and address.host:
        path = "/".join(part for part in (address.host, address.database) if part)
        raise ConfigurationError(
            f"the url {where_of(address)} names a host, which SQLite has not: a file needs three slashes, sqlite:///{path}, "
            f"or four where its path begins at the root, sqlite:////{path}"
        )
    return address


def _correction_of(text: str) -> str:
    """What was probably meant by a text that is no URL."""
    example = f"give one such as {_EXAMPLES}"
    if not text:
        return f"it is empty; {example}"
    if text.lower().startswith("jdbc:"):
        return f"leave out 'jdbc:'; {example}"
    found = re.match(r"(?P<name>[A-Za-z][\w+]*)\s*:?\s*(?P<slashes>/*)\s*(?P<rest>.*)", text, re.DOTALL)
    name = found["name"].lower() if found else ""
    database = _SPELLINGS.get(name.partition("+")[0])
    if found is not None and database is not None and "://" not in text:
        rest = found["rest"]
        slashes = ":////" if len(found["slashes"]) > 1 and database == "sqlite" else ":///"
        meant = f"{name}{slashes if database == 'sqlite' else '://'}{rest}"
        return f'the name is followed by "://": {without_secrets(meant)}'
    if re.search(r"\.(db|sqlite3?)$", text, re.IGNORECASE) and "://" not in text:
        return f"a file of SQLite is sqlite:///{text}"
    return example


def _with_known_name(address: URL) -> URL:
    name, plus, driver = address.drivername.lower().partition("+")
    name = _SYNONYMS.get(name, name)
    driver = _DRIVER_SYNONYMS.get(driver, driver)
    store = _ELSEWHERE.get(name)
    if store is not None:
        raise ConfigurationError(
            f"the url {where_of(address)} is none of a database that SQLAlchemy knows: give it to a {store}"
        )
    if name in _DRIVERS and (driver or not plus):
        return address.set(drivername=f"{name}{plus}{driver}")
    meant = _SPELLINGS.get(name) or nearest(name, list(_DRIVERS))
    try:
        address.get_dialect()
    except NoSuchModuleError as error:
        hint = (
            f"did you mean {meant}?"
            if meant and meant != name
            else "sqlite, postgresql, mysql and mariadb can be used"
        )
        raise ConfigurationError(
            f"the url {where_of(address)} names {address.drivername!r}, which SQLAlchemy doesn't know: {hint}"
        ) from error
    return address


def _with_driver(address: URL) -> URL:
    """A URL that names a driver, if it names none and the one that SQLAlchemy would take isn't the one that is installed."""
    database, plus, driver = address.drivername.partition("+")
    known = _DRIVERS.get(database)
    if known is None:
        return address
    if plus:
        try:
            address.get_dialect()
        except NoSuchModuleError as error:
            names = [one.name for one in known]
            meant = nearest(driver, names)
            hint = (
                f"did you mean {database}+{meant}?"
                if meant
                else f"with {database} {_named(known)} can be used"
            )
            raise ConfigurationError(
                f"the url {where_of(address)} names {address.drivername!r}, which SQLAlchemy doesn't know: {hint}"
            ) from error
        return address
    if known is _SQLITE:
        return address
    return address.set(drivername=f"{database}+{_preferred(known).name}")


def _installation_of(address: URL) -> str:
    """How to install the driver of a URL."""
    database, driver = address.get_backend_name(), address.get_driver_name()
    known = _DRIVERS.get(database, ())
    extra = next((one.extra for one in known if one.name == driver), None) or _EXTRAS.get(database)
    if extra is None:
        return "install it"
    others = [one for one in known if one.name != driver and _is_installed(one)]
    use = f", or name {database}+{others[0].name} in the url, which is installed" if others else ""
    return f'pip install "mainspring[{extra}]"{use}'
