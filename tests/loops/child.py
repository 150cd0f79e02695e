"""Runs one scenario on one kind of loop: ``child.py KIND SCENARIO``."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    kind, name = sys.argv[1:]
    if kind == "gevent-patched":
        import gevent.monkey

        gevent.monkey.patch_all()
    import faulthandler
    import logging

    faulthandler.dump_traceback_later(50, exit=True)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    import kits
    import scenarios

    status = kits.drive(kind, getattr(scenarios, name))
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that a failed scenario left running must not keep its report from being read.
    os._exit(status) if status else sys.exit(0)
