"""Jobs and their runs in Redis or Valkey, shared by any number of schedulers.

Needs redis-py 5 or newer: ``pip install "mainspring[redis]"``.
"""

try:
    from mainspring.jobstores.redis.store import RedisJobStore
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "redis":
        raise
    raise ImportError(
        'RedisJobStore needs redis-py 5 or newer, which is not installed: pip install "mainspring[redis]"'
    ) from error

__all__ = ["RedisJobStore"]
