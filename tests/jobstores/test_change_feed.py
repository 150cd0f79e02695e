"""What is made of the announcements of other nodes; without a database, and without waiting."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.jobstores.shared.change_feed import ChangeFeed, NothingToHearError
from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.row_locks import RowLocks
from mainspring.testing import SettableClock
from mainspring.testing.conformance import SECOND, START


class Clock(SettableClock):
    """Nobody waits for long on it."""

    def __init__(self):
        super().__init__(START)
        self.waited = []

    def wait(self, event, timeout):
        return event.wait(0.001)

    def pause(self, seconds):
        self.waited.append(seconds)


@pytest.fixture
def node_context():
    return NodeContext(
        arguments=None,
        locks=RowLocks(),
        logger=logging.getLogger("mainspring.test"),
        node_name="here",
        token=7,
        clock=Clock(),
    )


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, "mainspring.test")
    return lambda: [record.getMessage() for record in caplog.records]


class Feed:
    """What is announced, connection by connection: texts, or an error with which one ends. The last stays open until it is told to stop."""

    def __init__(self, *connections):
        self.connections = list(connections)
        self.open = self.opened = 0
        self.is_at_the_end = threading.Event()

    def listen(self):
        self.open += 1
        self.opened += 1
        try:
            for announcement in self.connections.pop(0) if self.connections else ():
                if isinstance(announcement, Exception):
                    raise announcement
                yield announcement
            self.is_at_the_end.set()
            while True:
                yield None
        finally:
            self.open -= 1


def run(feed, node_context, heard=lambda: None):
    listening = ChangeFeed(feed.listen, node_context, heard)
    assert feed.is_at_the_end.wait(30)
    listening.stop()
    listening._thread.join(30)
    assert not listening._thread.is_alive()
    assert feed.open == 0


def test_what_others_announce_is_heard_and_nothing_else(node_context):
    heard = []
    run(Feed(["8", None, "7", "9", None]), node_context, lambda: heard.append(1))
    assert len(heard) == 2


def test_a_node_knows_itself_by_its_present_token(node_context):
    node_context.token = 8
    heard = []
    run(Feed(["8", "7"]), node_context, lambda: heard.append(1))
    assert len(heard) == 1


def test_a_lost_connection_is_made_anew_and_told_of_once(node_context, said):
    feed = Feed([None, OSError("cut off")], [OSError("still away")], [None, "8"])
    heard = []
    run(feed, node_context, lambda: heard.append(1))
    assert feed.opened == 3
    assert heard == [1]
    assert said() == [
        "Not told of changes for now, but looking once a second: cut off",
        "Told of changes again",
    ]
    assert node_context.clock.waited == [1.0, 1.0]


def test_a_second_loss_is_told_of_too(node_context, said):
    run(Feed([OSError("once")], [None, OSError("twice")], [None]), node_context)
    assert [words.rpartition(": ")[2] for words in said()] == [
        "once",
        "Told of changes again",
        "twice",
        "Told of changes again",
    ]


def test_where_there_is_nothing_to_hear_nobody_listens(node_context, said):
    feed = Feed([NothingToHearError("this server has none")])
    listening = ChangeFeed(feed.listen, node_context, lambda: None)
    listening._thread.join(30)
    assert not listening._thread.is_alive()
    assert (feed.opened, feed.open) == (1, 0)
    assert said() == ["this server has none: looking once a second"]


def test_who_is_told_to_stop_says_nothing_of_a_connection_that_ends_then(node_context, said):
    class OutcomeWriter(Feed):
        def listen(self):
            self.is_at_the_end.set()
            assert stopped.wait(30)
            raise OSError("cut off")
            yield

    stopped = threading.Event()
    feed = OutcomeWriter()
    listening = ChangeFeed(feed.listen, node_context, lambda: None)
    assert feed.is_at_the_end.wait(30)
    listening.stop()
    stopped.set()
    listening._thread.join(30)
    assert not listening._thread.is_alive()
    assert said() == []


@pytest.mark.parametrize(
    ("times", "soon"),
    [
        ([], False),
        ([None], False),
        ([START - timedelta(days=1)], True),
        ([START + 2 * SECOND], True),
        ([START + 2.001 * SECOND], False),
        ([None, START + timedelta(days=1), START], True),
    ],
)
def test_what_is_announced_is_what_others_would_find_too_late(node_context, times, soon):
    assert node_context.is_soon(times) is soon


def test_what_a_database_takes_at_a_time(node_context):
    node_context.request_limit = 1000
    assert (node_context.row_limit, node_context.batch_limit) == (750, 250)
    node_context.request_limit = 2**40
    largest = node_context.batch_limit
    node_context.request_limit = 2**30
    assert node_context.batch_limit == largest == 1024 * 1024


def test_the_time_is_that_of_the_store_as_soon_as_it_was_asked(node_context):
    assert node_context.now() == START
    assert node_context.offset == timedelta(0)
    asked = node_context.clock.monotonic()
    node_context.measured(asked, START + timedelta(hours=2))
    assert node_context.now() == START + timedelta(hours=2)
    assert node_context.offset == timedelta(hours=2)
    node_context.clock.advance(10)
    assert node_context.now() == START + timedelta(hours=2, seconds=10)
    node_context.clock.set_wall(datetime(2030, 1, 1, tzinfo=UTC))
    assert node_context.now() == START + timedelta(hours=2, seconds=10)  # whatever the machine's clock shows
    asked = node_context.clock.monotonic()
    node_context.clock.advance(1)
    node_context.measured(asked, START + timedelta(hours=9))  # it was set itself
    assert node_context.now() == START + timedelta(hours=9)
    another = Clock()
    node_context.go_by(another)
    assert node_context.clock is another
    assert node_context.now() == START


def test_who_listens_keeps_no_process_from_its_end(node_context):
    listening = ChangeFeed(Feed([]).listen, node_context, lambda: None)
    assert listening._thread.daemon
    listening.stop()
    listening._thread.join(30)
