"""What `mainspring run` answers over HTTP: whether it lives, whether it works, and its numbers."""

from __future__ import annotations

import json
import logging
import socket
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - how long ago a pass was is asked now
from mainspring.errors import ConfigurationError, safe_str

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mainspring.schedulers.base import BaseScheduler
    from mainspring.schedulers.health import Health

_log = logging.getLogger("mainspring.cli")

#: The loop looks at shared stores every second; one that has not for so long is stuck.
_STUCK_AFTER = timedelta(seconds=60)
_JSON, _TEXT = "application/json", "text/plain; version=0.0.4; charset=utf-8"
_LARGEST_PORT = 65535


class Answer(NamedTuple):
    """What is answered.

    Attributes:
        status: 200, or 503 if something is wrong.
    """

    status: int
    kind: str
    body: bytes


class Address(click.ParamType["tuple[str, int]"]):
    """Where to listen: a port, on this machine alone, or ``HOST:PORT``; port 0 is any that is free."""

    name = "[host:]port"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """The host and the port; a usage error if it is none."""
        if isinstance(value, tuple):
            return value
        host, _, port = str(value).rpartition(":")
        if not port.isdigit() or int(port) > _LARGEST_PORT:
            self.fail(f"{value!r} is no port: write 8080, or 0.0.0.0:8080 for other machines", param, ctx)
        return host.strip("[]") or "127.0.0.1", int(port)


ADDRESS = Address()


def health_routes(scheduler: BaseScheduler) -> dict[str, Callable[[], Answer]]:
    """``/healthz``: whether the loop lives; ``/readyz``: whether it does its work, stores included."""

    def healthz() -> Answer:
        health = scheduler.health()
        return _answer(health, lives(health))

    def readyz() -> Answer:
        health = scheduler.health()
        return _answer(health, lives(health) and health.ok and health.state == "running")

    return {"/healthz": healthz, "/readyz": readyz}


def lives(health: Health) -> bool:
    """Whether the loop is alive and comes round: a restart would help if not."""
    if health.state == "starting":
        return True
    is_stuck = health.last_pass is not None and SYSTEM_CLOCK.now() - health.last_pass > _STUCK_AFTER
    return health.loop_alive and not (is_stuck and health.state == "running")


def _answer(health: Health, is_well: bool) -> Answer:
    body = json.dumps({"ok": is_well, **asdict(health)}, default=str, indent=2)
    return Answer(200 if is_well else 503, _JSON, body.encode())


def metrics_route(scheduler: BaseScheduler) -> dict[str, Callable[[], Answer]]:
    """``/metrics``, for Prometheus.

    Raises:
        ImportError: prometheus-client isn't installed; the message says which extra brings it.
    """
    from mainspring.metrics import Metrics

    metrics = Metrics(scheduler)
    return {"/metrics": lambda: Answer(200, _TEXT, metrics.text())}


@contextmanager
def served(address: tuple[str, int], routes: dict[str, Callable[[], Answer]]) -> Iterator[tuple[str, int]]:
    """Answer at an address, on threads of their own; where, as it came to be.

    Raises:
        ConfigurationError: it can't be listened there.
    """
    handler = type("Handler", (_Handler,), {"routes": routes})
    try:
        server = _Server(address, handler)
    except OSError as error:
        raise ConfigurationError(
            f"{address[0]}:{address[1]} can't be listened at: {safe_str(error)}"
        ) from error
    thread = Thread(target=server.serve_forever, name="mainspring-http", daemon=True)
    thread.start()
    found = (str(server.server_address[0]), int(server.server_address[1]))
    _log.info("%s at http://%s:%d", ", ".join(routes), *found)
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    routes: dict[str, Callable[[], Answer]]
    timeout = 10

    def do_GET(self) -> None:
        """Answer what is asked; what raises is a 503 with its words."""
        route = self.routes.get(self.path.partition("?")[0])
        if route is None:
            known = ", ".join(self.routes)
            self._write(Answer(404, "text/plain", f"there is nothing here: there are {known}\n".encode()))
            return
        try:
            answer = route()
        except Exception as error:  # noqa: BLE001 - that it fails is the answer
            answer = Answer(503, "text/plain", f"{safe_str(error)}\n".encode())
        self._write(answer)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *args: Any) -> None:
        """Say nothing: probes come every few seconds."""
