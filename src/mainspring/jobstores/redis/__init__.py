"""Jobs and their runs in Redis or Valkey, shared by any number of schedulers.

Needs redis-py 5 or newer: ``pip install "mainspring[redis]"``. Each step is a script in the server (``scripts/*.lua``), so it
happens whole or not at all. What the server loses when it ends is up to how it is set up, and `persistence.py` says so at
the start.

Start at `backend.py`, the steps that `jobstores.shared` asks for, and at `server.py`, which runs the scripts. `claiming.py`
claims, `outcome_writer.py` writes what became of runs, `rows.py` and `runs.py` say how that looks in the server, and
`store.py` is what programs make.
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
