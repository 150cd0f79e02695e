"""Timers of systemd, with their services, drop-ins and templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring import IntervalTrigger, OrTrigger
from mainspring.errors import ReadingError
from mainspring.moving import read_systemd

NOW = datetime(2026, 3, 1, 10, 17, 30, tzinfo=UTC)
SERVICE = "[Unit]\nDescription=Back up\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/backup --all\n"


def units(timer, service=SERVICE, **more):
    return {"a.timer": f"[Timer]\n{timer}\n", "a.service": service, **more}


def only(timer, service=SERVICE, more=(), **options):
    (job,) = read_systemd({**units(timer, service), **dict(more)}, now=NOW, **options).jobs
    return job


def service(*lines):
    return "[Service]\n" + "\n".join(lines) + "\n"


def test_a_timer_and_its_service():
    job = only("OnCalendar=Mon..Fri 09:30\nPersistent=true\nAccuracySec=1us")
    assert (job.id, job.name, job.args) == ("a.timer", "Back up", (["/usr/bin/backup", "--all"],))
    assert job.next_run_time(NOW) == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert job.options["misfire_policy"] == "once"
    assert job.kwargs["directory"] == "/"
    assert not job.notes


def test_several_events_all_fire():
    job = only("OnCalendar=*:20\nOnCalendar=11:05")
    assert isinstance(job.trigger, OrTrigger)
    assert [f"{time:%H:%M}" for time in job.trigger.upcoming(NOW, 3)] == ["10:20", "11:05", "11:20"]


def test_an_empty_value_drops_what_was_said_before():
    dropped = [
        ("a.timer.d/10-x.conf", "[Timer]\nOnCalendar=\nOnCalendar=12:00\n"),
        ("timer.d/z.conf", "[Timer]\nPersistent=yes\n"),
    ]
    job = only("OnCalendar=*:20", more=dropped)
    assert f"{job.next_run_time(NOW):%H:%M}" == "12:00"
    assert job.options["misfire_policy"] == "once"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1h 30min", 5400),
        ("5min20s", 320),
        ("1d", 86400),
        ("2 weeks", 1209600),
        ("1.5h", 5400),
        ("500ms", 0.5),
    ],
)
def test_spans_of_time(text, seconds):
    assert only(f"OnUnitActiveSec={text}").trigger.interval == timedelta(seconds=seconds)


def test_after_the_boot_and_then_every_so_often():
    job = only("OnBootSec=15min\nOnUnitActiveSec=1d")
    assert isinstance(job.trigger, IntervalTrigger)
    assert job.next_run_time(NOW) == NOW
    assert "it runs first when it is added" in job.notes[0]
    assert "end of a run" in only("OnUnitInactiveSec=5min").notes[0]


def test_only_after_the_boot_is_left_out_or_run_once():
    texts = units("OnBootSec=5min")
    assert "boot='on_apply'" in read_systemd(texts, now=NOW).left_out[0].reason
    (job,) = read_systemd(texts, now=NOW, boot="on_apply").jobs
    assert job.next_run_time(NOW) == NOW
    assert job.options["max_runs"] == 1


def test_zones():
    assert str(only("OnCalendar=09:30", timezone="Asia/Tokyo").trigger.timezone) == "Asia/Tokyo"
    assert (
        str(only("OnCalendar=09:30 Europe/Berlin", timezone="Asia/Tokyo").trigger.timezone) == "Europe/Berlin"
    )


def test_random_delays_are_the_jobs_own():
    job = only("OnCalendar=daily\nRandomizedDelaySec=1h")
    assert job.next_run_time(NOW) > datetime(2026, 3, 2, tzinfo=UTC)
    assert job.next_run_time(NOW) <= datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert "the same every time" in job.notes[0]
    assert not only("OnCalendar=daily\nRandomizedDelaySec=1h\nFixedRandomDelay=true").notes


def test_environment_user_directory_and_limits():
    job = only(
        "OnCalendar=daily",
        service(
            "Type=oneshot",
            "ExecStart=/bin/x",
            'Environment=A=1 "B=two words"',
            "Environment=A=3",
            "EnvironmentFile=-/etc/default/x",
            "User=www-data",
            "WorkingDirectory=/srv/%N",
            "TimeoutStartSec=5min",
        ),
    )
    environment = job.kwargs.pop("environment")
    assert (environment["A"], environment["B"]) == ("3", "two words")
    assert job.kwargs == {
        "inherit_environment": False,
        "directory": "/srv/a",
        "environment_files": ["-/etc/default/x"],
        "user": "www-data",
    }
    assert job.options["timeout"] == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("lines", "command"),
    [
        (["ExecStart=/bin/echo 'a b' \"c\" \\", "  d"], ["/bin/echo", "a b", "c", "d"]),
        (["ExecStart=/bin/echo %n %% %i"], ["/bin/echo", "a.service", "%"]),
        (["ExecStart=:/bin/echo $A"], ["/bin/echo", "$A"]),
        (["ExecStart=@/bin/echo other a"], ["/bin/echo", "a"]),
        (["ExecStart=/bin/echo ${A}b $C"], 'set -f; /bin/echo "${A}"b $C'),
        (["ExecStart=-/bin/false"], "set -f; { /bin/false || true; }"),
        (
            ["ExecStartPre=/bin/a", "ExecStart=/bin/b 'x y'", "ExecStart=/bin/c"],
            "set -f; /bin/a && /bin/b 'x y' && /bin/c",
        ),
        (["ExecStart=/bin/a ; /bin/b \\;"], "set -f; /bin/a && /bin/b ';'"),
        (["ExecStart=/bin/a", "ExecStart=", "ExecStart=/bin/b"], ["/bin/b"]),
    ],
)
def test_command_lines(lines, command):
    assert only("OnCalendar=daily", service(*lines)).args == (command,)


@pytest.mark.one_python
def test_what_a_service_runs_is_what_systemd_would_run(make_scheduler):
    job = read_systemd(
        units(
            "OnCalendar=daily",
            service(
                "ExecStart=/bin/echo ${GREETING}, $NAMES '*'",
                "ExecStart=-/bin/false",
                "ExecStart=/bin/echo end",
                'Environment="GREETING=good  day" "NAMES=a  b"',
            ),
        )
    )
    scheduler = make_scheduler(start=True)
    (added,) = job.apply(scheduler)
    lines = added.run_now().wait(30).log.splitlines()
    assert [line.rpartition("mainspring.run: ")[2] for line in lines] == ["good  day, a b *", "end"]


def test_what_has_no_effect_is_named():
    job = only(
        "OnCalendar=daily\nWakeSystem=true",
        service("ExecStart=/x", "ProtectSystem=strict", "Nice=5", "Type=forking"),
    )
    notes = " ".join(job.notes)
    for words in ("WakeSystem=true", "ProtectSystem=strict, Nice=5", "Type=forking"):
        assert words in notes
    assert "%Z" in " ".join(only("OnCalendar=daily", service("ExecStart=/x %Z")).notes)


def test_another_unit_and_templates():
    texts = {
        "a.timer": "[Timer]\nOnCalendar=daily\nUnit=b.service\n",
        "b.service": SERVICE,
        "t@.timer": "[Timer]\nOnCalendar=%i\n",
        "t@.service": service("ExecStart=/bin/t %i %p"),
        "t@daily.timer": "[Timer]\nOnCalendar=daily\n",
        "lonely.timer": "[Timer]\nOnCalendar=daily\n",
        "never.timer": "[Timer]\nPersistent=yes\n",
        "never.service": SERVICE,
    }
    plan = read_systemd(texts, now=NOW)
    assert plan["a.timer"].args == (["/usr/bin/backup", "--all"],)
    assert plan["t@daily.timer"].args == (["/bin/t", "daily", "t"],)
    reasons = {one.place: one.reason for one in plan.left_out}
    assert "template" in reasons["t@.timer"]
    assert "lonely.service isn't here" in reasons["lonely.timer"]
    assert "says not when" in reasons["never.timer"]


def test_files_and_folders(tmp_path):
    (tmp_path / "a.timer").write_text("# comment\n[Timer]\nOnCalendar=daily\n")
    (tmp_path / "a.service").write_text(SERVICE)
    (tmp_path / "a.service.d").mkdir()
    (tmp_path / "a.service.d" / "x.conf").write_text("[Service]\nUser=me\n")
    (tmp_path / "masked.timer").symlink_to("/dev/null")
    for source in (tmp_path, str(tmp_path / "a.timer")):
        (job,) = read_systemd(source, now=NOW).jobs
        assert job.kwargs["user"] == "me"
    with pytest.raises(ReadingError, match="no such file"):
        read_systemd(tmp_path / "b.timer")
    with pytest.raises(ReadingError, match=r"expected the path of a \.timer"):
        read_systemd(tmp_path / "a.service")


@pytest.mark.parametrize(
    ("timer", "more", "words"),
    [
        ("OnCalendar=nope", SERVICE, "a.timer:2: 'nope'"),
        (
            "nonsense",
            SERVICE,
            "a.timer:2: expected a section such as [Timer], or a line such as OnCalendar=daily, got 'nonsense'",
        ),
        ("OnUnitActiveSec=5 parsecs", SERVICE, "a.timer:2: expected a span of time"),
        ("OnUnitActiveSec=0", SERVICE, "above zero"),
        ("OnCalendar=daily\nPersistent=maybe", SERVICE, "a.timer:3: expected yes or no"),
        ("OnCalendar=daily", "ExecStart=/x\n", "a.service:1: expected a section"),
        ("OnCalendar=daily", service("ExecStart=/x 'y"), "a.service:2: expected words with closed quotes"),
        ("OnCalendar=daily", service("ExecStart=/x", "Environment=A"), "a.service:3: expected assignments"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(timer, more, words):
    with pytest.raises(ReadingError) as refused:
        read_systemd(units(timer, more))
    assert words in str(refused.value)


def test_a_unit_that_is_starting_as_long_as_it_runs_has_the_limit_of_its_start():
    lines = ("ExecStart=/bin/a", "TimeoutStartSec=5min", "RuntimeMaxSec=1h")
    assert only("OnCalendar=daily", service("Type=oneshot", *lines)).options["timeout"] == timedelta(
        minutes=5
    )
    assert only("OnCalendar=daily", service(*lines)).options["timeout"] == timedelta(hours=1)
