"""How a store keeps time, and for whom it holds a job."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.row_locks import RowLocks
from mainspring.serializers.arguments import ArgumentSerializer
from mainspring.testing import SettableClock

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def node_context():
    made = NodeContext(
        arguments=ArgumentSerializer(),
        locks=RowLocks(),
        logger=logging.getLogger("mainspring.test"),
        node_name="here",
    )
    made.go_by(SettableClock(START))
    return made


@pytest.mark.parametrize(("tries", "seconds"), [(1, 2), (2, 4), (5, 10), (6, 10), (1000, 10)])
def test_a_job_is_held_longer_the_more_often_a_change_has_come_too_late(node_context, tries, seconds):
    assert node_context.held_until(tries) == START + timedelta(seconds=seconds)
