"""What other nodes announce, by Redis's publish and subscribe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.jobstores.redis.server import text_of
from mainspring.jobstores.shared.change_feed import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Generator

    from mainspring.jobstores.redis.server import Server


def announcements(server: Server) -> Generator[str | None]:
    """Who has announced a change, or ``None`` now and then; first nobody, for what was missed."""
    with server.client.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(server.key("changed"))
        yield ""
        while True:
            message = subscription.get_message(timeout=PATIENCE)
            yield None if message is None else text_of(message["data"])
