"""Jobs and their runs in MongoDB, shared by any number of schedulers.

Needs pymongo 4.9 or newer: ``pip install "mainspring[mongodb]"``. No transactions and no replica set are needed: each step is
one change of one document, and what a step has to say of other documents waits in the first one's outbox until it is
moved. So each step happens whole or not at all, and whoever comes next finishes what a dead node has left.

Start at `backend.py`, the steps that `jobstores.shared` asks for. `claiming.py` claims, `outcome_writer.py` writes what
became of runs, `documents.py` and `claim_updates.py` say how that looks in the database, and `store.py` is what programs make.
"""

from typing import TYPE_CHECKING

from mainspring.extras import library_missing
from mainspring.former_names import former_names

try:
    from mainspring.jobstores.mongodb.store import MongoDBJobStore
except ImportError as error:
    raise library_missing(
        "MongoDBJobStore", "pymongo 4.9 or newer", ("pymongo", "bson"), "mongodb", error
    ) from error

__all__ = ["MongoDBJobStore"]

if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
