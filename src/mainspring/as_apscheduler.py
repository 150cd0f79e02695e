"""Lets programs written for APScheduler run on mainspring, unchanged.

Importing this module makes every later ``import apscheduler…`` give mainspring's module of the same place: the very
same object, also where APScheduler itself is installed. Three ways:

- ``import mainspring.as_apscheduler`` as the first import of a program,
- ``python -m mainspring.as_apscheduler script.py arguments…`` (or ``-m module``, or ``-c code``),
- ``pytest -p mainspring.as_apscheduler``.

Worker processes that `multiprocessing` starts from here have the alias too. Programs that are started otherwise (with
`subprocess`) do not: they are other programs.

Questions about APScheduler's version are answered as programs written for it need them: ``apscheduler.__version__`` is
the release whose interface this is, and `importlib.metadata` says so too where APScheduler isn't installed. mainspring's
own version is what ``importlib.metadata.version("mainspring")`` says.
"""

from __future__ import annotations

from mainspring.alias.installation import install

install()

if __name__ == "__main__":
    import sys

    from mainspring.alias.runner import main

    main(sys.argv[1:])
