"""What a scheduler does, in numbers, for Prometheus and whatever reads its formats.

Needs prometheus-client: ``pip install "mainspring[metrics]"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - how long ago a pass was is asked now
from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_GAVE_UP,
    EVENT_JOB_LOST,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_PAUSED,
    EVENT_JOB_RETRYING,
    EVENT_JOB_STARTED,
    EVENT_JOB_TIMED_OUT,
)
from mainspring.extras import library_missing

try:
    from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
    from prometheus_client.registry import Collector
except ImportError as error:
    raise library_missing(
        "mainspring.metrics", "prometheus-client 0.20 or newer", "prometheus_client", "metrics", error
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from mainspring.schedulers.base import BaseScheduler

__all__ = ["Metrics"]

#: How a run has ended, by the event that tells it.
_OUTCOMES = {
    EVENT_JOB_EXECUTED: "succeeded",
    EVENT_JOB_ERROR: "failed",
    EVENT_JOB_MISSED: "missed",
    EVENT_JOB_MAX_INSTANCES: "skipped",
    EVENT_JOB_TIMED_OUT: "timed_out",
    EVENT_JOB_CANCELLED: "cancelled",
    EVENT_JOB_LOST: "lost",
}
#: What follows from how runs end, and needs somebody.
_NOTICES = {EVENT_JOB_RETRYING: "retrying", EVENT_JOB_GAVE_UP: "gave_up", EVENT_JOB_PAUSED: "paused"}
_HEARD = sum(_OUTCOMES) | sum(_NOTICES) | EVENT_JOB_STARTED

_DURATIONS = (0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400)
_LATENESSES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300)


class Metrics:
    """Counts what a scheduler does, from now on, and asks it how it is whenever the numbers are read.

    ``mainspring_runs_total`` (``outcome``), ``mainspring_run_duration_seconds``, ``mainspring_run_lateness_seconds``, ``mainspring_job_notices_total``
    (``notice``: retrying, gave_up, paused), and gauges of `health`: runs that go on, parked jobs, the oldest overdue job, the last pass, job stores that fail.

    Args:
        scheduler: may be started already, or not.
        registry: where the numbers are; one of their own, if it isn't given.
        by_job: whether runs are told apart by the ids of their jobs, in the label ``job``: a series for each.
    """

    def __init__(
        self, scheduler: BaseScheduler, registry: CollectorRegistry | None = None, *, by_job: bool = True
    ) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._scheduler = scheduler
        self._by_job = by_job
        labels = ("job",) if by_job else ()
        self._runs = Counter(
            "mainspring_runs", "Runs that have ended.", ("outcome", *labels), registry=self.registry
        )
        self._notices = Counter(
            "mainspring_job_notices", "What followed from runs.", ("notice", *labels), registry=self.registry
        )
        self._durations = Histogram(
            "mainspring_run_duration_seconds",
            "How long functions ran.",
            labels,
            buckets=_DURATIONS,
            registry=self.registry,
        )
        self._latenesses = Histogram(
            "mainspring_run_lateness_seconds",
            "How much later than due functions were called.",
            labels,
            buckets=_LATENESSES,
            registry=self.registry,
        )
        self._health = _HealthCollector(scheduler)
        self.registry.register(self._health)
        scheduler.add_listener(self._heard, _HEARD)

    def close(self) -> None:
        """Count no more, and leave the registry."""
        self._scheduler.remove_listener(self._heard)
        for one in (self._health, self._runs, self._notices, self._durations, self._latenesses):
            self.registry.unregister(one)

    def text(self, *, openmetrics: bool = False) -> bytes:
        """The numbers, in the text format of Prometheus, or in that of OpenMetrics."""
        if not openmetrics:
            return generate_latest(self.registry)
        text: bytes = generate_openmetrics(self.registry)  # type: ignore[no-untyped-call]  # prometheus-client's
        return text

    def _heard(self, event: Any) -> None:
        labels = {"job": event.job_id} if self._by_job else {}
        if event.code == EVENT_JOB_STARTED:
            lateness = (event.started - event.scheduled_run_time).total_seconds()
            _labelled(self._latenesses, labels).observe(max(lateness, 0.0))
            return
        if event.code in _NOTICES:
            self._notices.labels(notice=_NOTICES[event.code], **labels).inc()
            return
        count = len(event.scheduled_run_times) if event.code == EVENT_JOB_MAX_INSTANCES else 1
        self._runs.labels(outcome=_OUTCOMES[event.code], **labels).inc(count)
        duration = getattr(event, "duration", None)
        if duration is not None:
            _labelled(self._durations, labels).observe(max(duration.total_seconds(), 0.0))


def _labelled(histogram: Histogram, labels: dict[str, str]) -> Histogram:
    return histogram.labels(**labels) if labels else histogram


class _HealthCollector(Collector):
    """`BaseScheduler.health`, as gauges."""

    def __init__(self, scheduler: BaseScheduler) -> None:
        self._scheduler = scheduler

    def describe(self) -> list[Metric]:
        """Nothing: that would ask the stores when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gauges as they are now."""
        health = self._scheduler.health()
        overdue = health.oldest_overdue
        gauges = {
            "up": ("Whether the loop is alive.", float(health.loop_alive)),
            "running_runs": ("Runs that are with the executors.", health.running_runs),
            "parked_jobs": ("Jobs that can't be run here for now.", health.parked_jobs),
            "failing_stores": ("Job stores that can't do their work.", len(health.store_errors)),
            "stuck_runs": ("Runs that don't end though they were told to.", health.stuck_runs),
            "undelivered_events": ("Events that wait for listeners.", health.undelivered_events),
            "dropped_events": ("Events that listeners were not told.", health.dropped_events),
            "oldest_overdue_seconds": (
                "For how long the oldest overdue job has been due.",
                0.0 if overdue is None else overdue.overdue.total_seconds(),
            ),
        }
        if health.last_pass is not None:
            since = (SYSTEM_CLOCK.now() - health.last_pass).total_seconds()
            gauges["last_pass_seconds"] = ("How long ago the loop last looked for due jobs.", max(since, 0.0))
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"mainspring_{name}", text, value=value)
