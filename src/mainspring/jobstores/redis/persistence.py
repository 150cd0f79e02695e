"""What a Redis server may lose, as it is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.jobstores.redis.server import setting_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def what_may_be_lost(client: Any) -> Sequence[str]:
    """Each thing in a sentence; nothing, if the server keeps all that it has acknowledged, or doesn't say."""
    found = []
    appends, saves = setting_of(client, "appendonly"), setting_of(client, "save")
    syncs, evicts = setting_of(client, "appendfsync"), setting_of(client, "maxmemory-policy")
    if appends == "no" and saves == "":
        found.append(
            "This Redis keeps nothing on disk (appendonly no, no save points): when it ends, all jobs and runs are lost"
        )
    elif appends == "no":
        found.append(
            f"This Redis keeps snapshots only (save {saves!r}): a crash loses what was changed since the last one, and runs may be "
            "done again. Set appendonly yes"
        )
    elif syncs not in ("always", None):
        found.append(
            f"This Redis writes its log once a second or less (appendfsync {syncs}): a crash of the machine may lose the last second, "
            "and its runs may be done again. Set appendfsync always if that matters"
        )
    if evicts not in (None, "noeviction"):
        found.append(
            f"This Redis throws keys away when its memory is full (maxmemory-policy {evicts}): jobs may disappear. Set noeviction"
        )
    return found
