"""Runs the programs of one theme: ``python runner.py THEME original`` or ``… alias``, and then the names of some, or of none for all.

A line of JSON for each comes out as soon as it has ended: its name, the lines that it printed, and what it raised. The process ends without waiting for
threads that a program has left behind.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    theme, side, *wanted = [argument for argument in sys.argv[1:] if argument != "-v"]
    if side == "alias":
        import mainspring.as_apscheduler  # noqa: F401 - the one line by which programs move over
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "themes")]
    import kit

    logging.lastResort = None
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    import_module(theme)
    for name, function in kit.PROGRAMS.items():
        if not wanted or name in wanted:
            begun = time.monotonic()
            lines, trouble = kit.run(function)
            answer = {"name": name, "lines": lines, "trouble": trouble, "seconds": time.monotonic() - begun}
            print(json.dumps(answer), file=answers)
    answers.flush()
    os._exit(0)
