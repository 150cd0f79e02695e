"""Jobs and their runs in Redis or Valkey, shared by any number of schedulers.

Needs redis-py 5 or newer: ``pip install "mainspring[redis]"``.
"""

from typing import TYPE_CHECKING

from mainspring.extras import library_missing
from mainspring.former_names import former_names

try:
    from mainspring.jobstores.redis.store import RedisJobStore
except ImportError as error:
    raise library_missing("RedisJobStore", "redis-py 5 or newer", "redis", "redis", error) from error

__all__ = ["RedisJobStore"]

if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
