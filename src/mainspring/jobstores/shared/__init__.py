"""What all stores have in common that several nodes share; a database is a `Backend` to it.

A node claims runs under a lease, which it renews by heartbeats. One that was silent for a whole lease is declared dead by the others, and its
runs are lost or run again. Outcomes are written a moment later, many at a time, and are refused if others have taken the run over.

Start at `backend.py`, which is what a database must do, then `store.py`, which is what schedulers call. `agenda.py` says when the database is
asked at all. The rules on which safety rests are pure, and elsewhere: `mainspring.engine.leasing` and `mainspring.engine.membership`.
"""
