"""Where jobs are kept, and who hands out what is due.

A store keeps jobs as records and claims due runs: it moves a job's next run time before it hands the run out, so that a run happens once,
however many ask. What it may be asked for is `contract.py`; what it may ask of its scheduler is `host.py`. A store makes true what the
engine decides, and decides nothing itself.

There are two wings. `local` has the stores of one process: jobs in memory, and those that a store written for APScheduler keeps. `sqlalchemy`, `mongodb`
and `redis` keep jobs in a database that many processes share (`shared` is what these have in common). Stores know no scheduler and no executor.

Start at `contract.py`, then read `local/memory.py`. Tests that every store must pass: `mainspring.testing.conformance`.
"""
