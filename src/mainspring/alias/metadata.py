"""What `importlib.metadata` is told about APScheduler where it isn't installed."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path
from typing import TYPE_CHECKING

import mainspring

if TYPE_CHECKING:
    from os import PathLike

#: The text of a METADATA file, as an installer would have written it.
_METADATA = f"""\
Metadata-Version: 2.1
Name: APScheduler
Version: {mainspring.version}
Summary: mainspring, standing in for APScheduler
Requires-Python: >=3.11
Requires-Dist: mainspring
"""


class StandIn(Distribution):
    """APScheduler as a distribution: the release whose interface mainspring has. It has no files and no entry points."""

    def read_text(self, filename: str) -> str | None:
        """The text of a metadata file; ``None`` for all but METADATA."""
        return _METADATA if filename == "METADATA" else None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        """Where a file of the distribution would be: beside mainspring's package."""
        return Path(mainspring.__path__[0]).parent / path
