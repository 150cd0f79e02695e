"""Jobs and their runs in MongoDB, shared by any number of schedulers.

Needs pymongo 4.9 or newer: ``pip install "mainspring[mongodb]"``.
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
