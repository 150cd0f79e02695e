"""Jobs and their runs in a database that any number of schedulers share: SQLite, PostgreSQL, MySQL and MariaDB.

Needs SQLAlchemy 2, and a driver for other databases than SQLite: ``pip install "mainspring[sqlalchemy]"``,
``"mainspring[postgresql]"`` or ``"mainspring[mysql]"``. Each step is one transaction. A claim locks the rows that it takes and
passes over those that others have locked; on SQLite, nodes write one after another.

Start at `backend.py`, the steps that `jobstores.shared` asks for. `claiming.py` claims, `outcome_writer.py` writes what
became of runs, `statements.py` has the statements in the form that each driver takes fastest, `tables.py` and
`migrations.py` the tables and the way from older ones. `engines.py` takes what a program gives, and `store.py` is what it makes.
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
