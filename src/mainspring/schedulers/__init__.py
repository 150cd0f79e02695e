"""The public face: the methods that programs call, and one shell for each way of waiting.

A scheduler puts the parts together. Its loop asks each job store for what is due, has executors run it, and tells the stores what became of
it; it decides nothing, the engine does (`mainspring.engine`). No lock is held while foreign code runs: listeners, triggers, functions, stores.

Start at `dispatch.py`, one pass over what is due, and `in_flight.py`, what has begun and not ended. `base.py` is what all schedulers share;
`blocking.py`, `background.py` and `event_loop.py` wait in their own ways. `store_host.py` and `executor_host.py` answer stores and executors.
"""

from mainspring.errors import SchedulerAlreadyRunningError, SchedulerNotRunningError

__all__ = ["SchedulerAlreadyRunningError", "SchedulerNotRunningError"]
