"""The first question to a server that may never answer."""

from __future__ import annotations

import threading

import pytest

from mainspring.jobstores.shared.reaching import FirstQuestion, NoAnswerError


class Server:
    """Answers, raises or keeps silent, as the test says."""

    def __init__(self):
        self.error = None
        self.silent = False
        self.asked = 0
        self.threads = set()
        self.over = threading.Event()

    def ask(self):
        self.asked += 1
        self.threads.add(threading.current_thread())
        if self.silent:
            assert self.over.wait(30)
        if self.error is not None:
            raise self.error


@pytest.fixture
def server():
    server = Server()
    yield server
    server.over.set()


def never():
    return False


def test_an_answer_is_waited_for_on_another_thread(server):
    server.silent = True
    looks = iter([False, False])

    def gives_up():
        if next(looks, None) is None:
            server.over.set()
        return False

    assert FirstQuestion(server.ask, gives_up)() is None
    assert server.asked == 1
    assert next(looks, None) is None, "the answer wasn't waited for"
    (thread,) = server.threads
    assert thread is not threading.current_thread()
    assert thread.name == "mainspring-reach"


def test_what_the_driver_raises_is_raised_here(server):
    server.error = ConnectionRefusedError("refused")
    with pytest.raises(ConnectionRefusedError) as raised:
        FirstQuestion(server.ask, never)()
    assert raised.value is server.error


def test_no_answer_is_waited_for_no_longer_than_the_start_may_take(server):
    server.silent = True
    with pytest.raises(NoAnswerError, match=r"^it gives no answer$"):
        FirstQuestion(server.ask, lambda: True)()


def test_what_was_said_before_says_more_than_that_there_is_no_answer_now(server):
    question = FirstQuestion(server.ask, lambda: True)
    server.error = ConnectionRefusedError("refused")
    with pytest.raises(ConnectionRefusedError):
        question()
    server.silent = True
    with pytest.raises(ConnectionRefusedError) as raised:
        question()
    assert raised.value is server.error
