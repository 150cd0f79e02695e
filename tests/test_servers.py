"""The servers of the tests are there also where something else has just taken their port."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
import redis

import servers

pytestmark = pytest.mark.one_python


@pytest.fixture
def taken_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def started(**options):
    try:
        return servers.RedisServer(**options)
    except servers.ServerMissingError as error:
        servers.missing(str(error))


def test_a_server_whose_port_was_taken_meanwhile_starts_on_another(taken_port, monkeypatch):
    chosen = []
    free_port = servers.free_port
    monkeypatch.setattr(
        servers, "free_port", lambda: chosen.append(free_port() if chosen else taken_port) or chosen[-1]
    )
    server = started()
    try:
        assert chosen[0] == taken_port
        assert server.port == chosen[-1] != taken_port
        with closing(redis.Redis(port=server.port)) as client:
            assert client.ping()
    finally:
        server.stop()
        server.remove()


def test_a_server_is_never_moved_from_the_port_that_it_was_given(taken_port, monkeypatch):
    folders = []
    make = servers.RedisServer._made
    monkeypatch.setattr(servers.RedisServer, "_made", lambda self: folders.append(make(self)) or folders[0])
    with pytest.raises(RuntimeError, match="doesn't answer"):
        started(port=taken_port)
    assert not folders[0].exists()
