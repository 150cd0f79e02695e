"""Secrets among arguments, and in what libraries say, are not shown."""

from __future__ import annotations

import io
import json
import logging
from collections import namedtuple
from dataclasses import dataclass, field

import pytest

from mainspring import masking
from mainspring.current import current_run
from mainspring.errors import ConfigurationError, SerializationError
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.masking import MASK, masked, masked_arguments, scrubber, without_secrets
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import EventRecorder


@pytest.fixture(autouse=True)
def usual_names():
    yield
    masking.use_secret_names(True)


@dataclass
class Login:
    user: str
    password: str
    headers: dict = field(default_factory=dict)


class Client:
    def __init__(self, key):
        self.api_key = key


Pair = namedtuple("Pair", "user token")  # noqa: PYI024 - as users write it


def login(user, password, *rest, **more):
    raise ConnectionError(f"no answer for {user} with {password!r} and {more}")


def chatty(password):
    current_run().log.warning("trying %s", password)
    logging.getLogger("of.somebody").warning("again %s", password)
    raise ValueError(password)


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "DB-PASSWORD", "userPassword", "Passwd", "token", "access_token", "refreshToken", "secret",
     "client_secret", "api_key", "API-Key", "apikey", "Authorization", "proxy-authorization", "credentials", "Set-Cookie", "jwt",
     "private_key", "passphrase", "auth", b"the-password"],
)  # fmt: skip
def test_names_of_secrets(name):
    assert masked({name: "x"}) == {name: MASK}


@pytest.mark.parametrize(
    "name", ["user", "author", "key", "keyboard", "path", "compass", "tok", "monkey", "", None, 3]
)
def test_other_names(name):
    assert masked({name: "x"}) == {name: "x"}


def test_secrets_are_masked_wherever_they_are():
    headers = [("Authorization", "Bearer abcdef"), ("Accept", "text/html")]
    value = {
        "a": [{"token": "t"}],
        "login": Login("u", "p", {"Cookie": "c"}),
        "pair": Pair("u", "t"),
        "headers": headers,
        "none": None,
    }
    assert masked(value) == {
        "a": [{"token": MASK}],
        "login": {"user": "u", "password": MASK, "headers": {"Cookie": MASK}},
        "pair": {"user": "u", "token": MASK},
        "headers": [["Authorization", MASK], ["Accept", "text/html"]],
        "none": None,
    }
    assert masked(Client("k")) == {"api_key": MASK}
    assert masked({"password": None}) == {"password": None}
    ring: list[object] = []
    ring.append(ring)
    assert "…" in repr(masked(ring))


def test_arguments_by_position_have_the_names_of_the_signature():
    assert masked_arguments(login, ["u", "p", {"token": 1}], {"api_key": "k", "x": 1}) == (
        ["u", MASK, {"token": MASK}],
        {"api_key": MASK, "x": 1},
    )
    assert masked_arguments(None, ["p"], {}) == (["p"], {})


URLS = [
    ("postgresql://u:hunter2@host/db", "postgresql://u:***@host/db"),
    ("redis://:hunter2@host", "redis://:***@host"),
    ("mongodb://u:hun%40ter2@a,b/x?y=1", "mongodb://u:***@a,b/x?y=1"),
    ("postgresql://u:hun@ter/2@host/db", "postgresql://u:***@host/db"),
    ("at postgresql://u:hunter2@host/db, and mysql://v:other@x", "at postgresql://u:***@host/db, and mysql://v:***@x"),
    ("http://host/x?token=hunter2&a=1", "http://host/x?token=***&a=1"),
    ("host=x password=hunter2 user=u", "host=x password=*** user=u"),
    ("host=x password='hun ter2' user=u", "host=x password=*** user=u"),
    ("http://host/x?access_token=hunter2&a=1", "http://host/x?access_token=***&a=1"),
    ("db_password=hunter2 client-secret=hunter2", "db_password=*** client-secret=***"),
    ("('failed', {'password': 'hun ter2', 'a': 1})", "('failed', {'password': '***', 'a': 1})"),
    ('{"api_key":"hun\'ter2", "a": 1}', '{"api_key":"***", "a": 1}'),
    ("{'password': b'hunter2', 'token': 42}", "{'password': '***', 'token': '***'}"),
    ("Authorization: Bearer hunter2", "Authorization: Bearer ***"),
    ("{'Authorization': 'Basic aHVudGVyMg=='}", "{'Authorization': 'Basic ***'}"),
    ("unexpected token: x", "unexpected token: x"),
    ("tokens=5, {'password': None}", "tokens=5, {'password': None}"),
    ("http://host:80/a", "http://host:80/a"),
    ("http://user@host:80/a", "http://user@host:80/a"),
    ("nothing", "nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), URLS)
def test_passwords_in_urls_and_settings(text, shown):
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "part",
    ["a", "a-", "token", "secret", "'password': '", '"password":"', "':\\", "password='", "authorization:"],
)
def test_no_text_takes_long_to_be_looked_through(part):
    without_secrets("=" + part * (500_000 // len(part)))  # quadratic, it would take minutes


def test_texts_are_scrubbed_of_the_secrets_of_a_call():
    scrub = scrubber(
        login,
        ("user", "hunter2'\n"),
        {"headers": {"Authorization": "Bearer abc.def"}, "url": "x://u:pass1@h", "pin": 1},
    )
    assert (
        scrub("user: hunter2'\n and " + repr("hunter2'\n") + " abc.def pass1 Bearer abc.def 1")
        == f'user: {MASK} and "{MASK}" {MASK} {MASK} {MASK} 1'
    )
    assert scrubber(login, ("u", "abc"), {})("abc") == "abc"  # too short to be told from other text


class Strange:
    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_strange_arguments_keep_nobody_from_being_told():
    assert scrubber(login, (Strange(), "hunter2"), {"token": Strange()})("x") == "x"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("function", [login, chatty])
def test_no_secret_of_a_job_is_seen_anywhere(make_scheduler, tmp_path, caplog, kind, function):
    stores = {} if kind == "memory" else {"default": SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")}
    scheduler = make_scheduler(jobstores=stores)
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    ours = [logging.getLogger(name) for name in ("apscheduler", "mainspring")]
    for logger in ours:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    args, kwargs = (
        (["someone", "hunter2"], {"headers": {"X-Api-Key": "hunter2-key"}})
        if function is login
        else (["hunter2"], {})
    )
    job = scheduler.add_job(function, "interval", hours=1, args=args, kwargs=kwargs, capture_log=True, id="a")
    try:
        job.run_now()
        (event,) = recorder.wait_for(EVENT_JOB_ERROR, job_id="a")
        recorder.wait_until(lambda: job.runs()[0].error is not None)
    finally:
        for logger in ours:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)
    (run,) = job.runs()
    shown = [stream.getvalue(), run.error, run.traceback, run.log or "", repr(run), repr(job), str(job), repr(job._record), event.traceback,
             repr(event), repr(scheduler.health())]  # fmt: skip
    lines = [line for text in shown for line in text.splitlines()]
    # What a program says to its own log is its own affair, but for what is kept of it.
    assert [line for line in lines if "hunter2" in line and line != "trying hunter2"] == []
    assert MASK in run.error
    assert MASK in run.traceback
    assert "hunter2" in str(event.exception)
    assert job.args[-1] == "hunter2"


def test_an_export_has_the_secrets_unless_it_is_for_people(make_scheduler, tmp_path):
    scheduler = make_scheduler(start=True)
    job = scheduler.add_job(
        login, "interval", hours=1, args=["someone", "hunter2"], kwargs={"token": "hunter2"}, id="a"
    )
    whole, shown = tmp_path / "whole.json", tmp_path / "shown.json"
    scheduler.export_jobs(whole)
    scheduler.export_jobs(shown, mask_secrets=True)
    assert "hunter2" in whole.read_text()
    assert "hunter2" not in shown.read_text()
    (written,) = json.loads(shown.read_text())["jobs"]
    assert (written["args"], written["kwargs"]) == (["someone", MASK], {"token": MASK})
    job.remove()
    with pytest.raises(SerializationError, match="mask_secrets=True"):
        scheduler.import_jobs(shown)
    assert scheduler.get_jobs() == []
    scheduler.import_jobs(whole)
    assert scheduler.get_job("a").args == ("someone", "hunter2")


def test_names_are_added_or_none_is_one():
    BackgroundScheduler(secret_names=["*ssn*", "account"])
    assert masked({"ssn_of_user": 1, "account": 2, "accounts": 3, "token": 4}) == {
        "ssn_of_user": MASK,
        "account": MASK,
        "accounts": 3,
        "token": MASK,
    }
    BackgroundScheduler(secret_names="iban, *tax*")
    assert masked({"iban": 1, "tax_id": 2, "token": 4}) == {"iban": MASK, "tax_id": MASK, "token": MASK}
    BackgroundScheduler(secret_names=False)
    assert masked({"password": 1}) == {"password": 1}
    BackgroundScheduler({"apscheduler.secret_names": "false"})
    assert masked({"password": 1}) == {"password": 1}
    for wrong in (3, [3], [""]):
        with pytest.raises(ConfigurationError, match="secret_names"):
            BackgroundScheduler(secret_names=wrong)


def test_errors_about_arguments_dont_show_them(waiting_scheduler):
    for values in ({"args": "hunter2"}, {"kwargs": "hunter2"}, {"kwargs": ["hunter2"]}):
        with pytest.raises(TypeError) as raised:
            waiting_scheduler.add_job(login, "interval", hours=1, **values)
        assert "hunter2" not in str(raised.value)


@pytest.fixture
def waiting_scheduler(make_scheduler):
    return make_scheduler()


def test_errors_of_statements_dont_show_what_is_written(tmp_path):
    store = SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")
    with store.engine.connect() as connection, pytest.raises(Exception, match="no_such_table") as raised:
        connection.exec_driver_sql("INSERT INTO no_such_table VALUES (?)", ("hunter2",))
    store.engine.dispose()
    assert "hunter2" not in str(raised.value)


def test_errors_about_a_configuration_dont_show_its_secrets():
    for stores in (
        {"url": "postgresql://u:hunter2@host/db", "password": "hunter2"},
        "postgresql://u:hunter2@host/db",
    ):
        with pytest.raises((ConfigurationError, TypeError)) as raised:
            BackgroundScheduler(jobstores={"default": stores})
        assert "hunter2" not in str(raised.value)
