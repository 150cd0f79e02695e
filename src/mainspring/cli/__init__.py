"""The command line, `mainspring`: a scheduler without a program, and a look at any running one.

Commands ask `mainspring.admin`, and show what it answers; nothing is decided here. `application.py` puts the commands together, `output.py`
shows lists as tables, JSON or CSV, `configuration.py` reads ``mainspring.toml``. Each other file has the commands of one kind.

Needs click and rich: ``pip install "mainspring[cli]"``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mainspring.extras import library_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code.

    Args:
        arguments: those of the process, if none are given.
    """
    try:
        import click  # noqa: F401 - whether it is there
        import rich  # noqa: F401 - as above
    except ImportError as error:
        missing = library_missing(
            "the command line", "click 8.1 and rich 13", ("click", "rich"), "cli", error
        )
        sys.stderr.write(f"{missing}\n")
        return 1
    from mainspring.cli.application import run

    return run(sys.argv[1:] if arguments is None else arguments)
