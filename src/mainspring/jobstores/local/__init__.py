"""Stores of one process: what goes on, what is queued and what became of runs is kept in its memory.

`store.py` has what they share: `LocalRunStore`, over `LocalRuns` (`runs.py`, with `run_queue.py`). `memory.py` keeps the jobs as well, in a heap by
the time when they are next looked at; `adapter.py` leaves them in a store that was written for APScheduler. They differ in how a job is found,
claimed and written; what a run may become is the same.

Promised: a run is claimed once, and what a claim has taken goes back to where it was, whatever is raised. Not promised: that anything of this outlives
the process, or serves another one.

Start at `store.py`, then read `memory.py`.
"""
