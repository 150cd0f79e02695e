"""What a Redis server may lose, as it is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from mainspring.jobstores.redis.server import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def what_may_be_lost(client: Any) -> Sequence[str]:
    """Each thing in a sentence; nothing, if the server keeps all that it has acknowledged, or doesn't say."""
    found = []
    appends, saves = _setting(client, "appendonly"), _setting(client, "save")
    syncs, evicts = _setting(client, "appendfsync"), _setting(client, "maxmemory-policy")
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


def _setting(client: Any, name: str) -> str | None:
    """A setting of the server; ``None`` if it doesn't tell, as hosted ones don't."""
    try:
        found = client.config_get(name)
    except RedisError:
        return None
    value = found.get(name, found.get(name.encode()))
    return None if value is None else text_of(value)
