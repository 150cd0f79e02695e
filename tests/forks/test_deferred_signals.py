"""Signals that come just as they begin to wait, or cease to."""

from __future__ import annotations

import os
import signal

import pytest

from mainspring import deferred_signals
from mainspring.deferred_signals import DeferredSignals

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")


@pytest.fixture
def signals():
    """Those of this thread; what comes raises what Ctrl-C does."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield DeferredSignals()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, previous)


def test_what_comes_just_before_they_wait_is_handled_later(signals, monkeypatch):
    handled = deferred_signals._handled

    def interrupted():
        monkeypatch.setattr(deferred_signals, "_handled", handled)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(deferred_signals, "_handled", interrupted)
    signals.keep_out()
    assert signals.are_kept_out
    with pytest.raises(KeyboardInterrupt):
        signals.let_in()
        os.getpid()  # when a call returns, Python looks
    assert not signals.are_kept_out


def test_what_has_come_to_the_parent_is_not_handled_in_a_child(signals, monkeypatch):
    signals._own.interrupted = os.getpid()
    signals.keep_out()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    signals.let_in()
    assert not signals.are_kept_out


def test_what_comes_just_as_they_cease_to_wait_is_handled(signals, monkeypatch):
    signals.keep_out()
    signal.raise_signal(signal.SIGINT)
    monkeypatch.setattr(signal, "sigpending", set)  # it wasn't there yet
    with pytest.raises(KeyboardInterrupt):
        signals.let_in()
        os.getpid()
    assert not signals.are_kept_out


def test_what_waits_already_stays_so(signals):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        signals.keep_out()
        signals.keep_out()
        signals.let_in()
        signals.let_in()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before | {signal.SIGUSR2}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_what_another_thread_has_taken_in_the_meantime_is_not_waited_for(signals, monkeypatch):
    signals.keep_out()
    pending = iter([{signal.SIGINT}, set()])  # it was there when it was asked for, and is no more
    monkeypatch.setattr(signal, "sigpending", lambda: next(pending))
    signals.let_in()
    assert not signals.are_kept_out
