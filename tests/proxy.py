"""A wire between a client and a server that can be slow, or cut: also when the server has done what it was asked, before it says so."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Proxy:
    """Passes connections on to a server.

    Attributes:
        port: where it listens, on 127.0.0.1.
        delay: seconds by which each answer is late.
        loses_answers: cut the connection instead of passing the next answer on.
        is_silent: keep connections, take new ones, and pass nothing on that is answered from now on.
        cuts: how many connections it has cut.
    """

    def __init__(self, host, port):
        self._server = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.delay = 0.0
        self.loses_answers = False
        self.is_silent = False
        self.cuts = 0
        self._lock = threading.Lock()
        self._pairs = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server, timeout=10)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            for source, target, answers in ((client, server, False), (server, client, True)):
                thread = threading.Thread(
                    target=self._pass_on, args=(source, target, pair, answers), daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, source, target, pair, answers):
        with suppress(OSError):
            while data := source.recv(65536):
                if answers and self.loses_answers:
                    self.loses_answers = False
                    break
                if answers and self.is_silent:
                    continue
                if answers and self.delay:
                    time.sleep(self.delay)  # what makes it slow
                target.sendall(data)
        self._end(pair)

    def _end(self, pair):
        with self._lock:
            if pair not in self._pairs:
                return
            self._pairs.discard(pair)
            self.cuts += 1
        for each in pair:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut(self):
        """Cut all connections."""
        for pair in list(self._pairs):
            self._end(pair)

    def close(self):
        """End, with all connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(30)
