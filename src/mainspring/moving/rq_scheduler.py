"""rq-scheduler: the jobs that it keeps in Redis. Needs the client of Redis; neither rq nor rq-scheduler.

Arguments are unpickled with care (`mainspring.serializers.careful_pickle`): nothing is called that they name, but the modules of their classes are
imported.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.coercion import names_keywords
from mainspring.errors import MainspringError, ReadingError, SerializationError, safe_str
from mainspring.extras import library_missing
from mainspring.masking import without_secrets
from mainspring.moving.plan import Planner
from mainspring.retry import Retry
from mainspring.serializers.careful_pickle import careful_loads
from mainspring.timezones import local_timezone
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.grammars import FIVE_FIELDS, SIX_FIELDS, UNIX
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from mainspring.moving.plan import Plan
    from mainspring.triggers.base import BaseTrigger

__all__ = ["read_rq_scheduler"]

_SCHEDULED = "rq:scheduler:scheduled_jobs"
_JOB = "rq:job:"
_QUEUES = "rq:queues"
_RQS_OWN = "rq:scheduled:"
#: As the package ``crontab`` has them, by which rq-scheduler reads them: a day must match both its fields.
_GRAMMAR = UNIX._replace(
    name="rq-scheduler",
    layouts={5: FIVE_FIELDS, 6: (*FIVE_FIELDS, "year"), 7: (*SIX_FIELDS, "year")},
    has_random=False,
    unites_days=False,
)
#: So much is unpacked of a job at most.
_MOST_BYTES = 64 * 1024 * 1024
_CALLBACKS = ("success_callback_name", "failure_callback_name", "stopped_callback_name")


class _Call(NamedTuple):
    """What a job calls."""

    name: str
    instance: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@names_keywords
def read_rq_scheduler(
    source: Any, *, timezone: Any = None, key: str = _SCHEDULED, now: datetime | None = None
) -> Plan:
    """A plan of the jobs that rq-scheduler keeps in Redis, where nothing is changed.

    Args:
        source: the URL of a Redis, or a client of it (without ``decode_responses``).
        timezone: of ``cron_string``: that of the machine on which rq-scheduler ran; this machine's, if it is not given.
        key: of the sorted set that has the jobs' times.
        now: from when on next runs are told; the present, if it is not given.

    Raises:
        ReadingError: Redis can't be read.
        ImportError: its client isn't installed.
    """
    planner = Planner("rq-scheduler", now=now, timezone=timezone or local_timezone(), tag="rq-scheduler")
    client, is_ours = _client(source)
    import redis

    try:
        jobs = [
            (_text(job_id), score, client.hgetall(f"{_JOB}{_text(job_id)}"))
            for job_id, score in client.zrange(key, 0, -1, withscores=True)
        ]
        elsewhere = {
            _text(queue): client.zcard(_own_key(queue)) for queue in sorted(client.smembers(_QUEUES))
        }
    except redis.RedisError as error:
        raise ReadingError(
            planner.source, None, f"Redis can't be read: {without_secrets(safe_str(error))}"
        ) from None
    finally:
        if is_ours:
            client.close()
    for job_id, score, fields in jobs:
        _plan(planner, job_id, score, {_text(name): value for name, value in fields.items()})
    for queue, count in elsewhere.items():
        if count:
            planner.notes.append(
                f"{count} jobs in {_RQS_OWN}{queue.removeprefix('rq:queue:')} are rq's own (enqueue_at, enqueue_in), which its workers see to: they aren't read"
            )
    if planner.jobs:
        planner.notes.append("stop rq-scheduler before the plan is applied: both would run the jobs")
        planner.notes.append(
            "where a job names no timeout, rq ends it after 180 seconds, and here it may run as long as it likes: apply(…, timeout=180)"
        )
    return planner.plan()


def _own_key(queue: Any) -> str:
    return f"{_RQS_OWN}{_text(queue).removeprefix('rq:queue:')}"


def _client(source: Any) -> tuple[Any, bool]:
    """A client of Redis, and whether it was made here."""
    try:
        import redis
    except ImportError as error:
        raise library_missing("read_rq_scheduler", "redis-py", "redis", "redis", error) from None
    if isinstance(source, str):
        try:
            return redis.Redis.from_url(source), True
        except ValueError as error:
            raise ReadingError(
                "rq-scheduler",
                None,
                f"expected the URL of a Redis, such as 'redis://localhost:6379/0', got {without_secrets(source)!r} ({error})",
            ) from None
    if not isinstance(source, redis.Redis):
        raise TypeError(
            f"expected the URL of a Redis or a client of it, got {type(source).__name__} {source!r}"
        )
    if source.connection_pool.connection_kwargs.get("decode_responses"):
        raise TypeError(
            "expected a client of Redis without decode_responses, since jobs are pickled: make one that gives bytes"
        )
    return source, False


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _plan(planner: Planner, job_id: str, score: float, fields: dict[str, Any]) -> None:
    place = f"{_JOB}{job_id}"
    if not fields:
        planner.leave_out(place, job_id, "the job isn't there any more, only its time")
        return
    notes: list[str] = []
    try:
        call = _call_of(fields.get("data", b""))
        meta = _loaded(fields["meta"]) if fields.get("meta") else {}
        options = _options(fields, meta, notes)
        trigger = _trigger(planner, datetime.fromtimestamp(score, UTC), meta, notes)
    except (MainspringError, ValueError, TypeError) as error:
        planner.leave_out(
            place, _text(fields.get("description", job_id)), f"it can't be read: {safe_str(error)}"
        )
        return
    func, args = _reference(call), call.args
    if call.instance is not None:
        is_class = isinstance(call.instance, type)
        owner = call.instance if is_class else type(call.instance)
        func = f"{owner.__module__}:{owner.__qualname__}.{call.name}"
        args = args if is_class else (call.instance, *args)
    planner.add(
        job_id,
        func,
        trigger,
        args=args,
        kwargs=dict(call.kwargs),
        name=call.name,
        options=options,
        place=place,
        notes=notes,
    )


def _call_of(data: bytes) -> _Call:
    """What a job's ``data`` says.

    Raises:
        SerializationError: it is something else.
    """
    loaded = _loaded(_unpacked(data))
    parts = tuple(loaded) if isinstance(loaded, (list, tuple)) else ()
    if len(parts) != len(_Call._fields) or not isinstance(parts[0], str) or not isinstance(parts[3], Mapping):
        raise SerializationError("expected a function's name, an instance, args and kwargs")
    return _Call(parts[0], parts[1], tuple(parts[2]), parts[3])


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, _MOST_BYTES)
    except zlib.error:
        return data  # rq before 1.0 didn't pack it
    if unpacker.unconsumed_tail:
        raise SerializationError(f"it is larger than {_MOST_BYTES:,} bytes")
    return plain


def _loaded(data: bytes) -> Any:
    if data[:1] in (b"[", b"{"):  # rq's JSONSerializer
        return json.loads(data)
    return careful_loads(data)


def _reference(call: _Call) -> str:
    """The reference of a function by the name that rq has for it. Classes are known by their capital letter, since nothing is imported."""
    *modules, name = call.name.split(".")
    if len(modules) > 1 and modules[-1][:1].isupper():
        name = f"{modules.pop()}.{name}"
    return f"{'.'.join(modules) or 'builtins'}:{name}"


def _options(fields: Mapping[str, Any], meta: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {"overlap": "allow"}
    if fields.get("timeout") and (timeout := int(_text(fields["timeout"]))) > 0:
        options["timeout"] = timeout
    if fields.get("retries_left"):
        waits = json.loads(_text(fields.get("retry_intervals", "[]"))) or [0]
        options["retry"] = Retry(attempts=int(_text(fields["retries_left"])) + 1, delay=waits[0], backoff=1)
        if len(set(waits)) > 1:
            notes.append(f"the waits before it is tried again are {waits}; here each is {waits[0]} seconds")
    if meta.get("repeat"):
        options["max_runs"] = int(meta["repeat"])
    queue = _text(fields.get("origin", "default"))
    if queue != "default":
        notes.append(f"it went to the queue {queue!r}; here executor= says where a job runs")
    told = [name for name in _CALLBACKS if fields.get(name)]
    if told:
        notes.append(
            f"{', '.join(_text(fields[name]) for name in told)} was called afterwards: a job with AfterJob(…), or a listener, does it here"
        )
    if fields.get("dependency_id"):
        notes.append(f"it waited for the job {_text(fields['dependency_id'])!r}, and doesn't here")
    return options


def _trigger(planner: Planner, moment: datetime, meta: Mapping[str, Any], notes: list[str]) -> BaseTrigger:
    if meta.get("interval"):
        return IntervalTrigger(seconds=int(meta["interval"]), start_date=moment)
    if not meta.get("cron_string"):
        return DateTrigger(moment)
    text = str(meta["cron_string"])
    trigger = CronTrigger._from_text(text, _GRAMMAR, planner.timezone)  # noqa: SLF001 - a grammar that nobody else needs
    if not list(trigger.between(moment, moment)):
        notes.append(
            f"in Redis it is due at {moment:%Y-%m-%d %H:%M:%S} UTC, which is none of its times in {planner.timezone}: timezone=… is that of rq-scheduler's machine"
        )
    return trigger
