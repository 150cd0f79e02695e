"""What other nodes announce, where the database can tell: PostgreSQL's LISTEN and NOTIFY.

Needs psycopg 3; with another driver changes are seen at the next poll.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from mainspring.jobstores.shared.change_feed import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy.engine import Engine


def channel_for(name: str) -> str:
    """The channel of the store whose table of jobs has this name; names of channels are short in PostgreSQL."""
    return f"mainspring_{blake2b(name.encode(), digest_size=12).hexdigest()}"


def can_listen(engine: Engine) -> bool:
    """Whether the database and the driver can."""
    return engine.dialect.name == "postgresql" and engine.dialect.driver == "psycopg"


def announcements(engine: Engine, channel: str) -> Generator[str | None]:
    """Who has announced a change, or ``None`` now and then; first nobody, for what was missed."""
    plain = engine.connect()
    with plain.execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'LISTEN "{channel}"')
        driver: Any = connection.connection.driver_connection
        try:
            yield ""
            while True:
                for notice in driver.notifies(timeout=PATIENCE, stop_after=1):
                    yield notice.payload
                yield None
        finally:
            connection.invalidate()  # it isn't to go back to the pool, listening
