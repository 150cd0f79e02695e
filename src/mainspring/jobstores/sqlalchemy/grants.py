"""What the user of a database may do with the store's tables: found out at a start, not when a run has ended and can't be recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.sqlalchemy.failures import failure_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Engine

NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE")


def refuse_missing_grants(connection: Connection, tables: Sequence[Table]) -> None:
    """See to it that this user may do with tables, which are there, what the store does with them.

    Raises:
        ConfigurationError: it may not; the message has the statements that let it.
    """
    kinds = {"postgresql": _missing_in_postgresql, "mysql": _missing_in_mysql, "mariadb": _missing_in_mysql}
    find = kinds.get(connection.dialect.name)
    missing = [] if find is None else list(find(connection, tables))
    if missing:
        user = connection.execute(text("SELECT CURRENT_USER")).scalar_one()
        to = _grantee(user)
        whole = {
            connection.dialect.identifier_preparer.format_table(table): _needed(table) for table in tables
        }
        grants = {name: f"GRANT {', '.join(whole[name])} ON {name} TO {to}" for _, name in missing}
        raise ConfigurationError(
            f"the user {user} may not {', '.join(f'{action} {name}' for action, name in missing)}, which the store has to: "
            + "; ".join(grants.values())
        )


def grants_for(engine: Engine, tables: Sequence[Table], user: str) -> list[str]:
    """The statements that let a user do with tables what the store does with them."""
    prepare = engine.dialect.identifier_preparer
    name, at, host = user.rpartition("@")
    if engine.dialect.name == "postgresql":
        grantee = prepare.quote_identifier(user)
    else:
        grantee = f"{_text(name if at else user)}@{_text(host if at else '%')}"
    schemas = {table.schema: prepare.quote_schema(table.schema) for table in tables if table.schema}
    before = [] if engine.dialect.name != "postgresql" else schemas.values()  # elsewhere it's a database
    return [f"GRANT USAGE ON SCHEMA {schema} TO {grantee};" for schema in before] + [
        f"GRANT {', '.join(_needed(table))} ON {prepare.format_table(table)} TO {grantee};"
        for table in tables
    ]


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _needed(table: Table) -> tuple[str, ...]:
    return (
        NEEDED if len(table.columns) > 1 else ("SELECT",)
    )  # the version alone is written by whoever makes the tables


def _grantee(user: str) -> str:
    name, at, host = user.rpartition("@")  # as MySQL says it
    return f"'{name}'@'{host}'" if at else f'"{user}"'


def _missing_in_postgresql(connection: Connection, tables: Sequence[Table]) -> list[tuple[str, str]]:
    prepare = connection.dialect.identifier_preparer
    asked: list[tuple[str, str, str]] = []
    for table in tables:
        name = prepare.format_table(table)
        for action in _needed(table):
            # Somebody may grant columns, all of them; but for DELETE there is only the whole table.
            what = "table" if action == "DELETE" else "any_column"
            asked.append((action, name, f"has_{what}_privilege({_quoted(name)}, '{action}')"))
    answers = connection.exec_driver_sql(f"SELECT {', '.join(how for _, _, how in asked)}").one()
    return [(action, name) for (action, name, _), has in zip(asked, answers, strict=True) if not has]


def _quoted(name: str) -> str:
    """A name as text in a statement without parameters."""
    return "'" + name.replace("'", "''").replace("%", "%%") + "'"


def _missing_in_mysql(connection: Connection, tables: Sequence[Table]) -> Iterator[tuple[str, str]]:
    """By doing it to no row: the grants of roles, databases and servers can't be looked up in one place."""
    prepare = connection.dialect.identifier_preparer
    for table in tables:
        name = prepare.format_table(table)
        column = prepare.quote(next(iter(table.primary_key.columns)).name)
        statements = {
            "SELECT": f"SELECT 1 FROM {name} WHERE 1 = 0",  # noqa: S608 - our names
            "INSERT": f"INSERT INTO {name} SELECT * FROM {name} WHERE 1 = 0",  # noqa: S608 - our names
            "UPDATE": f"UPDATE {name} SET {column} = {column} WHERE 1 = 0",  # noqa: S608 - our names
            "DELETE": f"DELETE FROM {name} WHERE 1 = 0",  # noqa: S608 - our names
        }
        for action in _needed(table):
            try:
                connection.exec_driver_sql(statements[action])
            except DBAPIError as error:
                if failure_of(error) is not Failure.PERMANENT:
                    raise
                yield action, name
                if action == "SELECT":
                    break  # the others read as well
