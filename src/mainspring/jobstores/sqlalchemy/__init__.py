"""Jobs and their runs in a database that any number of schedulers share: SQLite, PostgreSQL, MySQL and MariaDB.

Needs SQLAlchemy 2, and a driver for other databases than SQLite: ``pip install "mainspring[sqlalchemy]"``,
``"mainspring[postgresql]"`` or ``"mainspring[mysql]"``.
"""

from typing import TYPE_CHECKING

from mainspring.extras import library_missing
from mainspring.former_names import former_names

try:
    from mainspring.jobstores.sqlalchemy.autogenerate import without_job_tables
    from mainspring.jobstores.sqlalchemy.store import SQLAlchemyJobStore
except ImportError as error:
    raise library_missing("SQLAlchemyJobStore", "SQLAlchemy 2", "sqlalchemy", "sqlalchemy", error) from error

__all__ = ["SQLAlchemyJobStore", "without_job_tables"]

if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
