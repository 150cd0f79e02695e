"""The web server whose pages the demo fetches: its own, on this machine, on whatever port is free."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Self

#: What each page is long, in bytes, and how long it takes to make, in seconds.
PAGES = {
    "/news": (5_214, 0.01),
    "/stock": (1_377, 0.02),
    "/weather": (860, 0.005),
    "/backup": (48_300, 2.0),
    "/": (320, 0.0),
}

#: The page that is out of order now and then, as pages are: every so many requests.
UNRELIABLE, FAILS_EVERY = "/stock", 4


class _Pages(BaseHTTPRequestHandler):
    server: Website

    def do_GET(self) -> None:
        """Answer with the page."""
        name = self.path.partition("?")[0]
        if name not in PAGES:
            self.send_error(404)
            return
        size, seconds = PAGES[name]
        time.sleep(seconds)  # this server's own work
        if name == UNRELIABLE and next(self.server.requests_for_unreliable) % FAILS_EVERY == 0:
            self.send_error(500)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(b"." * size)

    def log_message(self, *_: object) -> None:
        """Print nothing: the screen is the scheduler's."""


class Website(ThreadingHTTPServer):
    """A server of `PAGES`, from ``with`` on until the end of its block."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Pages)
        self.requests_for_unreliable = count(1)

    @property
    def url(self) -> str:
        """Where its pages are, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, name="website", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
