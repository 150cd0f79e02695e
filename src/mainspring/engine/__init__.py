"""What is to be done about a job, decided and not done.

Nothing in this package reads a clock, takes a lock, touches a store, logs, starts a thread or draws a random number:
the time and the counts come in, a `Decision` goes out, and the schedulers and stores carry it out. So each rule is
written once, and is tested without threads, sleeps or stand-ins.

Start at `decision.py`: `decide` is what is asked about each due job, and `decide_queued` about each queued run. What an
outcome leads to is in `retrying.py`, `failures.py` and `following.py`; who may run at all is in `leasing.py` and
`membership.py`.
"""
