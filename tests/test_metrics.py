"""`Metrics`: what a scheduler does, as Prometheus reads it."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from mainspring.jobstores.memory import MemoryJobStore
from mainspring.metrics import Metrics
from waiting import wait_for


def values(metrics, read=read_text, **options):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in read(metrics.text(**options).decode())
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


def test_runs_are_counted_by_job_and_outcome_with_how_long_and_how_late(make_scheduler):
    scheduler = make_scheduler()
    metrics = Metrics(scheduler)
    scheduler.add_job("time:time", "interval", hours=1, id="good")
    scheduler.add_job("math:sqrt", "interval", hours=1, id="bad", args=[-1], retry=2)
    scheduler.start()
    assert scheduler.run_job("good").wait(30).outcome == "succeeded"
    assert scheduler.run_job("bad").wait(30).outcome == "failed"
    found = wait_for(
        lambda: (now := values(metrics)).get(("mainspring_job_notices_total", "bad", "gave_up")) and now
    )
    assert found["mainspring_runs_total", "good", "succeeded"] == 1
    assert found["mainspring_runs_total", "bad", "failed"] == 2
    assert found["mainspring_job_notices_total", "bad", "retrying"] == 1
    assert found["mainspring_run_duration_seconds_count", "bad"] == 2
    assert found["mainspring_run_lateness_seconds_count", "good"] == 1
    assert 0 <= found["mainspring_run_lateness_seconds_sum", "good"] < 30
    assert found["mainspring_up",] == 1
    assert found["mainspring_running_runs",] == found["mainspring_parked_jobs",] == 0


def test_without_jobs_apart_there_is_one_series_for_all(make_scheduler):
    scheduler = make_scheduler(start=True)
    metrics = Metrics(scheduler, by_job=False)
    for number in range(3):
        scheduler.add_job("time:time", "interval", hours=1, id=str(number))
        scheduler.run_job(str(number)).wait(30)
    wait_for(lambda: values(metrics).get(("mainspring_runs_total", "succeeded")) == 3)
    assert values(metrics)["mainspring_run_duration_seconds_count",] == 3


def test_openmetrics_is_spoken_too(make_scheduler):
    scheduler = make_scheduler(start=True)
    metrics = Metrics(scheduler)
    scheduler.add_job("time:time", "interval", hours=1, id="a")
    scheduler.run_job("a").wait(30)
    wait_for(lambda: values(metrics).get(("mainspring_runs_total", "a", "succeeded")) == 1)
    assert values(metrics, read_openmetrics, openmetrics=True)["mainspring_runs_total", "a", "succeeded"] == 1


def test_gauges_say_what_health_says(make_scheduler):
    class Broken(MemoryJobStore):
        def claim(self, *args):
            raise OSError("gone")

    scheduler = make_scheduler(jobstores={"default": Broken()}, start=True)
    metrics = Metrics(scheduler)
    wait_for(lambda: values(metrics)["mainspring_failing_stores",] == 1)
    scheduler.shutdown()
    assert values(metrics)["mainspring_up",] == 0


def test_who_closes_it_counts_no_more_and_may_begin_anew(make_scheduler):
    scheduler = make_scheduler(start=True)
    metrics = Metrics(scheduler)
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(scheduler, metrics.registry)
    metrics.close()
    assert scheduler._listeners == [] or not list(scheduler._listeners)
    again = Metrics(scheduler, metrics.registry)
    assert values(again)["mainspring_up",] == 1
