"""Jobs and their runs in MongoDB, shared by any number of schedulers.

Needs pymongo 4.9 or newer: ``pip install "mainspring[mongodb]"``.
"""

try:
    from mainspring.jobstores.mongodb.store import MongoDBJobStore
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("pymongo", "bson"):
        raise
    raise ImportError(
        'MongoDBJobStore needs pymongo 4.9 or newer, which is not installed: pip install "mainspring[mongodb]"'
    ) from error

__all__ = ["MongoDBJobStore"]
