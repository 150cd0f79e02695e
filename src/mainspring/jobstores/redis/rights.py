"""What the user of a Redis may do there: found out at a start, not only when a script can't be brought to its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from mainspring.errors import ConfigurationError
from mainspring.jobstores.redis.failures import failure_of
from mainspring.jobstores.redis.server import source, text_of
from mainspring.jobstores.shared.failures import Failure

if TYPE_CHECKING:
    from mainspring.jobstores.redis.server import Server

_KINDS = ("hash", "set", "sorted", "list", "text")


def refuse_missing_rights(server: Server) -> None:
    """See to it that this user may run all commands of the scripts, and announce changes.

    Raises:
        ConfigurationError: it may not; the message names what is refused.
        ResponseError: the server refuses something for another reason, which may pass.
    """
    script = server.client.register_script(source("rights"))
    keys = [server.key(f"answer:rights:{kind}") for kind in _KINDS]
    refused = {}
    for command, words in json.loads(text_of(script(keys=keys, args=[server.key("changed")]))):
        error = ResponseError(words)
        if failure_of(error) is not Failure.PERMANENT:
            raise error
        refused[command] = " ".join(words.split())
    if not refused:
        return
    first = next(iter(refused.values())).rstrip(".")
    raise ConfigurationError(
        f"{server.outage.name} can't be used: this user may not {', '.join(refused)}, which the store has to ({first}): "
        "give this user the permission by ACL SETUSER, to the channel too where PUBLISH is refused"
    )
