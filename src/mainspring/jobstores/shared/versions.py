"""Releases that can't use the same store: the newer has changed what is kept so that the older doesn't understand it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mainspring.engine.setbacks import KnownNode


def refuse_newer(what: str, found: int, understood: int) -> None:
    """See to it that what is kept is of a version that this release understands.

    Args:
        what: is kept, such as ``"the tables of 'mainspring_jobs'"``.
        found: its version; `understood`: the newest that is understood.

    Raises:
        ConfigurationError: it is of a newer one.
    """
    if found > understood:
        raise ConfigurationError(
            f"{what} have version {found}, but only {understood} and older are understood: a newer release has made or changed them, and no "
            "node of this one may use them any more. Upgrade this node; or, to go back to this release, end all nodes and restore a backup "
            "of before the upgrade"
        )


def refuse_living(what: str, found: int, needed: int, known: Iterable[KnownNode], now: datetime) -> None:
    """See to it that nobody is at work who can't use what is kept any more when it has been brought up to date.

    Args:
        what: is kept; `found`: its version; `needed`: that of this release.
        known: the nodes that are known, all of which are of an older release.
        now: by the store's clock.

    Raises:
        ConfigurationError: somebody is.
    """
    living = sorted({node.name for node in known if node.is_alive and not node.is_silent(now)})
    if living:
        raise ConfigurationError(
            f"{what} have version {found}, and this release needs version {needed}, which older releases can't use. Nodes of an older release "
            f"are at work: {', '.join(living)}. End them, and start this one when they have ended (or a lease after they were killed); or go on "
            "with the older release until they may be ended"
        )
