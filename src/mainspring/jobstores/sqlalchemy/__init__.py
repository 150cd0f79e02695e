"""Jobs and their runs in a database that any number of schedulers share: SQLite, PostgreSQL, MySQL and MariaDB.

Needs SQLAlchemy 2, and a driver for other databases than SQLite: ``pip install "mainspring[sqlalchemy]"``,
``"mainspring[postgresql]"`` or ``"mainspring[mysql]"``.
"""

try:
    from mainspring.jobstores.sqlalchemy.autogenerate import without_job_tables
    from mainspring.jobstores.sqlalchemy.store import SQLAlchemyJobStore
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "sqlalchemy":
        raise
    raise ImportError(
        'SQLAlchemyJobStore needs SQLAlchemy 2, which is not installed: pip install "mainspring[sqlalchemy]"'
    ) from error

__all__ = ["SQLAlchemyJobStore", "without_job_tables"]
