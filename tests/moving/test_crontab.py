"""Crontabs mean here what they mean to cron, and what can't be kept is said."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from mainspring import MemoryJobStore
from mainspring.errors import ReadingError
from mainspring.moving import read_crontab

NOW = datetime(2026, 3, 1, 10, 17, 30, tzinfo=UTC)


def only(text, **options):
    (job,) = read_crontab(text, now=NOW, **options).jobs
    return job


def field(source, low, high):
    kind = source.randrange(6)
    a, b = sorted(source.sample(range(low, high + 1), 2))
    return ["*", f"*/{source.randint(2, 9)}", f"{a}", f"{a}-{b}", f"{a},{b}", f"{a}-{b}/2"][kind]


@pytest.mark.parametrize("seed", range(40))
def test_the_next_fifty_times_are_crons(seed):
    """The day of the month or the weekday, where both are restricted: Debian's rule, as cronsim has it."""
    source = random.Random(seed)
    bounds = [(0, 59), (0, 23), (1, 28), (1, 12), (0, 6)]
    text = " ".join(field(source, low, high) for low, high in bounds)
    ours = only(f"{text} work\n", timezone="UTC").trigger.upcoming(NOW, 50)
    theirs = CronSim(text, NOW)
    assert ours == [next(theirs) for _ in range(50)], text


def test_a_percent_sign_is_a_line_end_of_the_input_and_an_escaped_one_itself():
    job = only("0 9 * * * post -s 'up \\% down' x%line 1%50\\% more\n")
    assert job.args == ("post -s 'up % down' x",)
    assert job.kwargs["input"] == "line 1\n50% more\n"
    assert "input" not in only("0 9 * * * date +\\%F\n").kwargs


def test_assignments_hold_for_the_lines_below_them():
    plan = read_crontab(
        "* * * * * a\nX=1\n  Y = ' two '\nZ=\"3\" \nE=\n* * * * * b\nX=4\n* * * * * c\n", now=NOW
    )
    first, second, third = (job.kwargs["environment"] for job in plan.jobs)
    assert first == {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    assert second == {**first, "X": "1", "Y": " two ", "Z": "3", "E": ""}
    assert third["X"] == "4"


def test_shell_and_home_are_used():
    job = only("SHELL=/bin/bash\nHOME=/srv\nPATH=/opt/bin:$PATH\n* * * * * x\n")
    assert (job.kwargs["shell"], job.kwargs["directory"]) == ("/bin/bash", "/srv")
    assert job.kwargs["environment"]["PATH"] == "/opt/bin:$PATH"  # cron replaces nothing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("MAILTO=a@b.c\n* * * * * x\n", "MAILTO=a@b.c: no mail is sent"),
        ("TZ=Asia/Tokyo\n* * * * * x\n", "doesn't move the schedules"),
        ("CRON_TZ=Asia/Tokyo\n* * * * * x\n", "Debian's cron ignores it"),
        ("RANDOM_DELAY=30\n* * * * * x\n", "delay that is each job's own"),
        ("* * * * * x\r\n", "line ends of Windows"),
        ("* * * * * x\n* * * * * y", "has no line end"),
    ],
)
def test_what_cannot_be_kept_is_said(text, words):
    assert [note for note in read_crontab(text, now=NOW).notes if words in note]


def test_an_empty_mailto_loses_nothing():
    assert not read_crontab('MAILTO=""\n* * * * * x\n', now=NOW).notes


def test_zones():
    plan = read_crontab(
        "0 9 * * * a\nCRON_TZ=Asia/Tokyo\n0 9 * * * b\nTZ=Europe/Berlin\n0 9 * * * c\n", now=NOW
    )
    assert [str(job.trigger.timezone) for job in plan.jobs] == ["None", "Asia/Tokyo", "Asia/Tokyo"]
    assert "TZ" not in plan.jobs[1].kwargs["environment"]
    assert plan.jobs[2].kwargs["environment"]["TZ"] == "Europe/Berlin"
    assert only("0 9 * * * a\n", timezone="Asia/Tokyo").trigger.timezone == ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    "name", ["@daily", "@hourly", "@weekly", "@monthly", "@yearly", "@annually", "@midnight", "@every_minute"]
)
def test_names_of_schedules(name):
    assert only(f"{name} work\n").args == ("work",)


def test_reboot_is_left_out_or_runs_once(make_scheduler):
    plan = read_crontab("@reboot start it\n", now=NOW)
    assert not plan.jobs
    assert (plan.left_out[0].place, plan.left_out[0].text) == ("line 1", "@reboot start it")
    scheduler = make_scheduler(jobstores={"default": MemoryJobStore()})
    scheduler.start(paused=True)
    plan = read_crontab("@reboot true\n", reboot="on_apply")
    (job,) = plan.apply(scheduler)
    assert job.next_run_time is not None
    assert "not at each boot" in plan.jobs[0].notes[0]


def test_random_ranges_and_delays_are_each_jobs_own():
    plan = read_crontab("0~59 3 * * * a\n0~59 3 * * * b\nRANDOM_DELAY=60\n0 4 * * * c\n", now=NOW)
    first, second, third = (job.next_run_time(NOW) for job in plan.jobs)
    assert first.minute != second.minute
    assert third > datetime(2026, 3, 2, 4, tzinfo=UTC)


def test_runs_overlap_as_with_cron_unless_the_line_says_otherwise():
    assert only("* * * * * x\n").options["overlap"] == "allow"
    job = only("* * * * * -ns x -n\n")
    assert (job.options["overlap"], job.args) == ("skip", ("x -n",))
    assert only("-*/5 * * * * x\n").args == ("x",)


SYSTEM = "SHELL=/bin/sh\n17 * * * * root cd / && run-parts /etc/cron.hourly\n@daily www-data clean\n"


def test_the_column_for_the_user():
    plan = read_crontab(SYSTEM, system=True, now=NOW)
    assert [(job.kwargs["user"], job.args[0]) for job in plan.jobs] == [
        ("root", "cd / && run-parts /etc/cron.hourly"),
        ("www-data", "clean"),
    ]


def test_a_system_crontab_is_not_taken_for_a_users():
    """The attack: "root" would be run as the command."""
    with pytest.raises(ReadingError, match="say system=True"):
        read_crontab("17 * * * * root run-parts /etc/cron.hourly\n@daily root clean up\n")
    assert only("0 9 * * * root x\n", system=False).args == ("root x",)


def test_files_and_folders_of_the_system(tmp_path):
    folder = tmp_path / "cron.d"
    folder.mkdir()
    (folder / "backup").write_text(SYSTEM)
    (folder / "old.dpkg-old").write_text("nonsense\n")
    (folder / "_more").write_text("5 5 * * * root clean\n")
    plan = read_crontab(folder, now=NOW)
    assert [job.place for job in plan.jobs] == [
        f"{folder}/_more:1",
        f"{folder}/backup:2",
        f"{folder}/backup:3",
    ]
    assert plan.left_out[0].text == "old.dpkg-old"
    assert len(read_crontab(str(folder / "backup"), now=NOW).jobs) == 2
    (tmp_path / "crontab").write_text(SYSTEM)
    assert read_crontab(tmp_path / "crontab", now=NOW).jobs[0].kwargs["user"] == "root"


def test_ids_stay_when_lines_move_and_schedules_change():
    before = read_crontab("0 9 * * * a\n0 9 * * * b\n", now=NOW)
    after = read_crontab("# new\n5 8 * * * b\nX=1\n0 9 * * * a\n", now=NOW)
    assert {job.id for job in before.jobs} == {job.id for job in after.jobs}
    assert len({job.id for job in read_crontab("0 9 * * * a\n0 8 * * * a\n", now=NOW).jobs}) == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# x\n0 9 * * work\n", 2, "expected minute, hour, day of the month, month, weekday, command"),
        ("0 25 * * * work\n", 1, "25 is higher than"),
        ("0 9 * * funday work\n", 1, "funday"),
        ("@dayly work\n", 1, "dayly"),
        ("0 9 * * * a \\\n  && b\n", 2, "no continuation lines"),
        ("\n\nCRON_TZ=Europe/Berlinn\n", 3, "did you mean 'Europe/Berlin'"),
        ("RANDOM_DELAY=x\n", 1, "a number of minutes"),
        ("0 9 * * * %x\n", 1, "a command before %"),
        ("@daily\n", 1, "@daily or another such name, command"),
    ],
)
def test_what_cannot_be_read_says_which_line_and_why(text, line, words):
    with pytest.raises(ReadingError) as refused:
        read_crontab(text, system=False)
    assert refused.value.line == line
    assert str(refused.value).startswith(f"crontab:{line}: ")
    assert words in str(refused.value)


def test_a_line_without_a_user_is_refused():
    with pytest.raises(ReadingError, match="system=False"):
        read_crontab("0 9 * * * work\n", system=True)
    with pytest.raises(ReadingError, match="expected the name of a user"):
        read_crontab("0 9 * * * /bin/work -x\n", system=True)


def test_files_that_are_not_there_or_no_text(tmp_path):
    with pytest.raises(ReadingError, match="can't be read: No such file"):
        read_crontab(tmp_path / "no")
    with pytest.raises(ReadingError, match="needs a line end"):
        read_crontab("0 9 * * * work")
    (tmp_path / "latin").write_bytes(b"0 9 * * * caf\xe9\n")
    with pytest.raises(ReadingError, match="UTF-8"):
        read_crontab(tmp_path / "latin")
    with pytest.raises(TypeError):
        read_crontab(5)


def test_nothing_and_comments_are_no_jobs():
    assert not read_crontab("\n# nothing\n", now=NOW).jobs
    assert not read_crontab("", now=NOW).jobs


@pytest.mark.one_python
def test_a_command_runs_as_planned(make_scheduler):
    scheduler = make_scheduler(start=True)
    read_crontab("GREETING=hello\n0 9 1 1 * read x; echo $GREETING $x%world\n").apply(scheduler)
    (job,) = scheduler.get_jobs()
    assert "hello world" in job.run_now().wait(30).log


def test_a_mark_at_the_beginning_of_the_file_is_passed_over(tmp_path):
    file = tmp_path / "crontab.txt"
    file.write_bytes(b"\xef\xbb\xbfA=1\n0 9 * * * a\n")
    for source in (file, "\ufeffA=1\n0 9 * * * a\n"):
        assert only(source).kwargs["environment"]["A"] == "1"


@pytest.mark.parametrize("flags", ["-n -q -s", "-nqs", "-s -nq"])
def test_flags_may_be_given_one_by_one(flags):
    job = only(f"0 9 * * * {flags} report\n")
    assert (job.args, job.options["overlap"]) == (("report",), "skip")


@pytest.mark.parametrize("user", ["svc.backup", "Admin", "www-data", "x$"])
def test_names_of_users_are_taken_as_systems_have_them(user):
    assert only(f"0 9 * * * {user} report\n", system=True).kwargs["user"] == user


def test_reboot_is_understood_however_it_is_written():
    (note,) = only("@Reboot warm-up\n", reboot="on_apply").notes
    assert "not at each boot" in note
