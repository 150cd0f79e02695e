"""What a claim says besides, on its way from a job's document to the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.jobstores.mongodb.documents import HAS_OUTBOX
from mainspring.jobstores.mongodb.server import insert_new

if TYPE_CHECKING:
    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.server import Server


def move_outboxes(server: Server, which: Document) -> list[str]:
    """Move what claims have said besides to the runs; of which jobs. May be done again, and by several at once."""
    found = list(server.jobs.find({**which, "outbox": {"$exists": True}}, {"outbox": 1}))
    for document in found:
        insert_new(server.runs, document["outbox"])
        # If more was put down there meanwhile, whoever did that moves all of it.
        server.jobs.update_one(
            {"_id": document["_id"], "outbox": document["outbox"]},
            {"$unset": {"outbox": ""}, "$pull": {"found_by": HAS_OUTBOX}},
        )
    return [document["_id"] for document in found]
