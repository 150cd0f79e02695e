"""A database of SQLite in memory that each connection has for itself."""

import logging

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore, create_engine
from sqlalchemy.pool import NullPool

logging.disable()
engine = create_engine("sqlite://", poolclass=NullPool)
try:
    store = SQLAlchemyJobStore(engine=engine)
    store.start(None, "default")
    print("jobs:", store.get_all_jobs())
except Exception as error:
    print(type(error).__name__)
