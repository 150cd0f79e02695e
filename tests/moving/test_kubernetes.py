"""Kubernetes' CronJobs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
import yaml

from mainspring.errors import ReadingError
from mainspring.moving import read_kubernetes

NOW = datetime(2026, 3, 1, 10, 17, 30, tzinfo=UTC)


def cron_job(name="backup", schedule="0 3 * * *", container=None, job=None, pod=None, **spec):
    container = {"name": "c", "image": "busybox", "command": ["/bin/echo"], **(container or {})}
    template = {"spec": {"restartPolicy": "Never", "containers": [container], **(pod or {})}}
    job_template = {"spec": {"template": template, **(job or {})}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": schedule, "jobTemplate": job_template, **spec},
    }


def only(*args, **spec):
    (job,) = read_kubernetes(yaml.dump(cron_job(*args, **spec)), now=NOW).jobs
    return job


def test_what_a_cron_job_says_becomes_a_job():
    job = only(
        timeZone="Europe/Berlin",
        concurrencyPolicy="Forbid",
        startingDeadlineSeconds=300,
        job={"backoffLimit": 2, "activeDeadlineSeconds": 600},
        container={
            "args": ["$(A)", "$$(A)", "$(B)"],
            "env": [{"name": "A", "value": "1"}],
            "workingDir": "/srv",
        },
    )
    assert (job.id, job.args) == ("backup", (["/bin/echo", "1", "$(A)", "$(B)"],))
    assert job.kwargs == {"environment": {"A": "1"}, "directory": "/srv"}
    assert str(job.next_run_time(NOW)) == "2026-03-02 03:00:00+01:00"
    options = {**job.options}
    retry = options.pop("retry")
    assert options == {"tags": ("kubernetes",), "overlap": "skip", "misfire_grace_time": 300, "timeout": 600}
    assert (retry.attempts, retry.delay.total_seconds(), retry.longest_delay.total_seconds()) == (3, 10, 360)


def test_what_it_leaves_out_is_as_in_the_cluster():
    job = only()
    assert job.options["overlap"] == "allow"
    assert job.options["misfire_policy"] == "once"
    assert job.options["retry"].attempts == 7
    assert str(job.trigger.timezone) == "UTC"
    assert "retry" not in only(job={"backoffLimit": 0}).options
    assert only(concurrencyPolicy="Replace").options["overlap"] == "cancel_running"
    assert only(suspend=True).is_paused


def test_what_cannot_be_said_is():
    secret = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}
    job = only(
        container={"env": [secret], "envFrom": [{"secretRef": {"name": "x"}}], "resources": {"limits": {}}},
        pod={"serviceAccountName": "me"},
        job={"parallelism": 3},
    )
    notes = " ".join(job.notes)
    for words in (
        "PASSWORD had values",
        "not in the image 'busybox'",
        "envFrom, parallelism, resources, serviceAccountName",
    ):
        assert words in notes
    assert "UTC" in read_kubernetes(cron_job()).notes[0]


def test_documents_lists_and_others():
    text = "---\n".join(
        [
            yaml.dump(cron_job("a")),
            yaml.dump({"kind": "Service", "metadata": {"name": "s"}}),
            yaml.dump({"kind": "List", "items": [cron_job("b"), cron_job("c", "@hourly")]}),
            "",
        ]
    )
    plan = read_kubernetes(text, now=NOW)
    assert [job.id for job in plan.jobs] == ["a", "b", "c"]
    assert plan.left_out[0].text == "Service s"
    assert [job.id for job in read_kubernetes([*yaml.safe_load_all(text)][:-1], now=NOW).jobs] == [
        "a",
        "b",
        "c",
    ]


def test_containers_without_a_command_need_a_function():
    images = cron_job(container={"command": None, "args": ["x"]})
    several = cron_job("two", pod={"containers": [{"command": ["a"]}, {"command": ["b"]}]})
    plan = read_kubernetes([images, several], now=NOW)
    assert [
        "image 'busybox' alone" in plan.left_out[0].reason,
        "several containers" in plan.left_out[1].reason,
    ] == [True, True]
    plan = read_kubernetes([images, several], functions={"backup": "os:getcwd", "two": "os:getpid"}, now=NOW)
    assert [(job.func, job.args) for job in plan.jobs] == [("os:getcwd", ()), ("os:getpid", ())]


def test_files_folders_and_namespaces(tmp_path):
    manifest = cron_job()
    manifest["metadata"]["namespace"] = "ops"
    (tmp_path / "a.yaml").write_text(yaml.dump(manifest))
    (tmp_path / "b.yml").write_text(yaml.dump(cron_job("b")))
    (tmp_path / "README").write_text("no manifest")
    assert [job.id for job in read_kubernetes(tmp_path, now=NOW).jobs] == ["ops/backup", "b"]
    (job,) = read_kubernetes(tmp_path / "a.yaml", now=NOW).jobs
    assert job.place == f"{tmp_path}/a.yaml:1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [\n", "expected YAML"),
        ("\n\n5\n", "kubernetes:3: expected a manifest with kind: CronJob, got 5"),
        ("kind: CronJob\n", "expected metadata"),
        (yaml.dump(cron_job(schedule="61 * * * *")), "kubernetes:1: '61 * * * *'"),
        (yaml.dump(cron_job(timeZone="Nowhere/City")), "no time zone is named"),
        (yaml.dump(cron_job(concurrencyPolicy="Maybe")), "one of Allow, Forbid, Replace, got 'Maybe'"),
        (yaml.dump(cron_job(startingDeadlineSeconds="5")), "startingDeadlineSeconds to be a whole number"),
        (yaml.dump(cron_job(pod={"containers": []})), "expected containers"),
        (
            "kind: CronJob\nmetadata: {name: x}\nspec: {schedule: '@daily'}\n",
            "jobTemplate.spec in a CronJob, and jobTemplate is None",
        ),
        ("a: !!python/object/apply:os.system ['touch /tmp/x']\n", "expected YAML"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text, words):
    with pytest.raises(ReadingError) as refused:
        read_kubernetes(text)
    assert words in str(refused.value)


def test_without_pyyaml_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match=r"mainspring\[yaml\]"):
        read_kubernetes("kind: CronJob\n")
    assert read_kubernetes(cron_job(), now=NOW).jobs


def test_a_document_that_refers_to_itself_again_and_again_is_refused_at_once():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(ReadingError, match="kind: CronJob") as caught:  # a billion of them, written out
        read_kubernetes("\n".join(lines) + "\n")
    assert len(str(caught.value)) < 1000
