"""What makes `mainspring.as_apscheduler`: importing this changes nothing yet, importing that does.

Programs that import ``apscheduler`` get this library instead, under APScheduler's module names, versions and entry points,
also in the processes that they start. Nothing of the library imports this package, so a reader who isn't interested in
APScheduler never meets it.

Start at `installation.py`, which puts the parts in place: `finders.py` answers imports, `metadata.py` what is asked about
the installed package, `subprocesses.py` has child processes do the same, and `runner.py` is
``python -m mainspring.as_apscheduler``.
"""
