"""Jobs as rows: what people look for in columns, the rest as JSON that can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.definition import options_as_plain, options_with
from mainspring.engine.following import followed_job
from mainspring.errors import SerializationError, TransientJobError, safe_str
from mainspring.jobstores.shared.row_locks import OPEN
from mainspring.model import JobCounters, JobOptions, JobRecord
from mainspring.references import instance_beside, ref_to_obj, reference_to_be
from mainspring.serializers.signing import unsealed
from mainspring.storable import LONGEST_KEY, compact, encodable, is_storable, size_of, storable
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.naming import reference_to
from mainspring.triggers.plain import is_plain, trigger_from_dict, trigger_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.jobstores.contract import JobQuery
    from mainspring.jobstores.shared.row_locks import RowLocks
    from mainspring.serializers.arguments import ArgumentSerializer

#: What a job's row says of it.
SCHEDULED, PAUSED, ENDING = "scheduled", "paused", "ending"

#: What a node needs of a row to make a job of it.
COLUMNS = (
    "id",
    "name",
    "func",
    "trigger",
    "arguments",
    "next_run_time",
    "executor",
    "options",
    "tags",
    "tally",
    "version",
)

#: The longest name of a job, or reference to its function, that is kept: in characters.
LONGEST_NAME = 1000


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(moment: datetime, separator: str = " ") -> str:
    """A time as databases without zones keep it: in UTC, to the microsecond, so that texts are in the order of times."""
    since = moment - _EPOCH
    # Many times are in few seconds; `isoformat`, asked for each, takes three times as long.
    return _second_text(since.days, since.seconds, separator) + str(1_000_000 + since.microseconds)[1:]


@lru_cache(maxsize=256)
def _second_text(days: int, seconds: int, separator: str) -> str:
    """A second since the epoch, as far as its point."""
    moment = _EPOCH + timedelta(days, seconds)
    return moment.replace(tzinfo=None).isoformat(separator, "seconds") + "."


def read_time(value: datetime | str | None) -> datetime | None:
    """A time as any driver gives it: as text or not, with a zone or in UTC."""
    if isinstance(value, str):
        # As `time_text` writes it: with the zone in the text, since to replace a time's zone takes longer than to read it.
        is_ours = len(value) == _ZONELESS and value[-6:].isdigit()
        value = datetime.fromisoformat(f"{value}+00:00" if is_ours else value)
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


_ZONELESS = len("2026-01-31 09:30:00.000000")


class Unreadable(NamedTuple):
    """A row of which no job can be made here, and why.

    Attributes:
        record: what could be read of it, with the rest left empty, for messages.
    """

    record: JobRecord
    reason: str
    error: Exception


def record_of(row: JobRecord | Unreadable) -> JobRecord:
    """The job of a row; where none can be made here, what could be read of it."""
    return row.record if isinstance(row, Unreadable) else row


def writable(
    record: JobRecord,
    arguments: ArgumentSerializer,
    row_limit: int | None = None,
    locks: RowLocks = OPEN,
) -> dict[str, Any]:
    """A job as the values of its columns, but for `created` and `updated`.

    Args:
        row_limit: how many bytes the database takes at a time.
        locks: of the store.

    Raises:
        TransientJobError: its function has no reference.
        SerializationError: its trigger or an argument can't be written, or is too much for the database; or it names what the store
            doesn't load.
        ValueError: what it is found by is too long, or what is kept as plain text is no text.
    """
    reference = record.func_ref
    if reference is None:
        # Perhaps it has one by now: a decorated function gets its name after the decorator was called.
        try:
            reference = reference_to_be(record.func)
        except ValueError as error:
            raise TransientJobError(record.id) from error
    follows = followed_job(record)
    _refuse_too_long(record, follows or "")
    instance = instance_beside(record.func, reference)
    trigger, text = _written_trigger(record, arguments)
    row = {
        "id": record.id,
        "name": record.name[:LONGEST_NAME],
        "func": reference,
        "trigger": trigger,
        "trigger_text": text,
        "arguments": _written_arguments(record, instance, arguments),
        "next_run_time": record.next_run_time,
        "executor": record.options.executor,
        "state": PAUSED if record.next_run_time is None else SCHEDULED,
        "options": _written_options(record.options),
        "tags": _written_tags(record.options.tags),
        "priority": record.options.priority,
        "follows": follows,
        "tally": written_counters(record.counters),
        "version": record.version,
    }
    locks.close(row)
    if row_limit is not None:
        _refuse_too_large(row, row_limit)
    return row


def _refuse_too_long(record: JobRecord, follows: str) -> None:
    options = record.options
    if len(record.id) + len(options.executor) + len(options.group or "") + len(follows) <= LONGEST_KEY:
        return  # as most are
    for what, text in (
        ("the id", record.id),
        ("the executor", options.executor),
        ("the group", options.group or ""),
        ("the id that is followed by that", follows),
    ):
        if len(text) > LONGEST_KEY:
            raise ValueError(
                f"{what} of a stored job may have {LONGEST_KEY} characters, got {len(text):,}: {text[:_SHOWN]!r}…"
            )


def _written_arguments(record: JobRecord, instance: tuple[Any, ...], arguments: ArgumentSerializer) -> str:
    if instance:
        try:
            arguments.dumps(record.id, instance, {})
        except SerializationError as error:
            raise SerializationError(
                f"{error}. It is the instance whose method job {record.id!r} calls: give a function at module level, or a reference to the "
                "method of an instance that is there in every process ('package.module:instance.method')"
            ) from error
    return arguments.dumps(record.id, (*instance, *record.args), record.kwargs)


def refuse_unstorable(record: JobRecord) -> None:
    """See to it that what is kept as plain text, and found by it, is what every database takes.

    Raises:
        ValueError: it isn't.
    """
    options = record.options
    follows = followed_job(record) or ""
    together = "".join(
        (record.id, record.name, options.executor, options.group or "", follows, *options.tags)
    )
    if together.isascii() and "\0" not in together:
        return  # as most are
    for what, text in (
        ("the id", record.id),
        ("the name", record.name),
        ("the executor", options.executor),
        ("the group", options.group or ""),
        ("the job that is followed by that", follows),
        *(("a tag", tag) for tag in options.tags),
    ):
        if not is_storable(text):
            raise ValueError(
                f"{what} of job {record.id!r} has characters that databases can't keep (NUL, or half a surrogate pair, as in the name of a "
                f"file that is no UTF-8): {text[:_SHOWN]!r}. Arguments and metadata may have them"
            )


def refuse_padded(record: JobRecord) -> None:
    """See to it that no name ends with a space, for databases to which that is the same as without.

    Raises:
        ValueError: one does.
    """
    options = record.options
    for what, text in (
        ("the id", record.id),
        ("the executor", options.executor),
        ("the group", options.group or ""),
        ("the job that is followed by that", followed_job(record) or ""),
    ):
        if text.endswith(" "):
            raise ValueError(
                f"{what} of job {record.id!r} ends with a space, and MySQL and MariaDB take {text!r} and {text.rstrip(' ')!r} for the same: "
                "leave the space out"
            )


_SHOWN = 80


def _refuse_too_large(row: Mapping[str, Any], limit: int) -> None:
    if (
        len(row["arguments"]) + len(row["options"]) < limit // _MOST_BYTES // 2
        and not row["tags"]
        and not row["tally"]
    ):
        return  # as most are
    texts = {name: value for name, value in row.items() if isinstance(value, str)}
    sizes = {name: size_of(text) + sum(map(text.count, "\"'\\")) for name, text in texts.items()}
    total = sum(sizes.values())
    if total > limit:
        largest = max(sizes, key=sizes.__getitem__)
        raise SerializationError(
            f"job {row['id']!r} is too large: its row takes {total:,} bytes, of them its {largest} {sizes[largest]:,}, and this database "
            f"takes {limit:,} at a time. Keep the data elsewhere, and give the job what it is found by"
        )


#: A character takes so many bytes at most: as UTF-8, or with its escape.
_MOST_BYTES = 4


#: The type of a trigger that is pickled, in the place of those that triggers give themselves.
_PICKLED = "pickled"


def _written_trigger(record: JobRecord, arguments: ArgumentSerializer) -> tuple[str, str]:
    """A trigger as its column has it, and as people read it. One that doesn't say how it is written is pickled, where arguments may be."""
    trigger = record.trigger
    if arguments.may_pickle and not is_plain(trigger):
        values = {
            "version": 1,
            "type": _PICKLED,
            "class": reference_to(type(trigger)),
            "pickle": arguments.dump_trigger(record.id, trigger),
        }
    else:
        values = trigger_to_dict(trigger)
    return compact(values), storable(safe_str(trigger))


@lru_cache(maxsize=1024)
def _written_options(options: JobOptions) -> str:
    plain = options_as_plain(options)
    text = json.dumps(plain, ensure_ascii=False)
    written = encodable(text)
    if written is not text and json.loads(written) != plain:
        raise SerializationError(
            "the metadata has two halves of a character in a row, which can't be kept as such"
        )
    return written


def written_counters(counters: JobCounters | None) -> str | None:
    """What a job remembers, as it is in its column."""
    return None if counters is None else encodable(json.dumps(counters._asdict(), ensure_ascii=False))


def _written_tags(tags: tuple[str, ...]) -> str | None:
    return f"[{', '.join(map(written_tag, tags))}]" if tags else None


def written_tag(tag: str) -> str:
    """A tag as it is in the column of tags."""
    return json.dumps(tag, ensure_ascii=False)


# Options and functions are few. What is not found is looked for again: it may come with the next import.
@lru_cache(maxsize=1024)
def _read_options(text: str, executor: str, tags: str | None) -> JobOptions:
    values = json.loads(text)
    if not isinstance(values, Mapping):
        raise SerializationError(f"the options should be a dict: {text[:80]}")
    if tags is not None:
        values = {**values, "tags": json.loads(tags)}
    return options_with(JobOptions(executor=executor), values)


@lru_cache(maxsize=1024)
def _read_trigger(text: str) -> tuple[BaseTrigger, tzinfo | None]:
    """A trigger and its zone.

    That is the trigger's own zone object: with another of the same name, it would have to look offsets up again.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise SerializationError(f"the trigger is no JSON: {error}: {text[:80]}") from error
    return _with_zone(trigger_from_dict(values))


def _unpickled_trigger(
    job_id: str, text: str, arguments: ArgumentSerializer
) -> tuple[BaseTrigger, tzinfo | None]:
    """As `_read_trigger`, of one that may be pickled; made anew each time, since others' triggers may change."""
    values = json.loads(text)
    if values.get("type") != _PICKLED:
        return _read_trigger(text)
    trigger = arguments.load_trigger(job_id, values.get("pickle"))
    if not isinstance(trigger, BaseTrigger):
        raise SerializationError(f"the pickled trigger is a {type(trigger).__qualname__}")
    return _with_zone(trigger)


def _with_zone(trigger: BaseTrigger) -> tuple[BaseTrigger, tzinfo | None]:
    zone = getattr(trigger, "timezone", None)
    if not isinstance(zone, tzinfo):
        zone = getattr(getattr(trigger, "run_date", None), "tzinfo", None)
    return trigger, zone


def read(
    row: Any,
    arguments: ArgumentSerializer,
    timezone: tzinfo,
    functions: dict[str, Any] | None = None,
    locks: RowLocks = OPEN,
) -> JobRecord | Unreadable:
    """The job of a row with `COLUMNS`, or why there is none. Calls nothing that the row names.

    Args:
        functions: those that were found for rows that were read together with this one, by their references; added to.
        locks: of the store; asked first.
    """
    job_id, name, func, trigger_text, written, due, executor, options_text, tags, tallied, version = row
    next_run_time = None
    try:
        next_run_time = read_time(due)
        written = locks.open(job_id, name, func, trigger_text, written, executor, options_text, tags)
        if _PICKLED in trigger_text:
            trigger, zone = _unpickled_trigger(job_id, trigger_text, arguments)
        else:
            trigger, zone = _read_trigger(trigger_text)
        options = _read_options(options_text, executor, tags)
        args, kwargs = arguments.loads(job_id, written)
        counters = None if tallied is None else JobCounters(**json.loads(tallied))
    except Exception as error:  # noqa: BLE001 - a damaged row may raise anything
        stub = JobRecord(
            job_id,
            name,
            None,
            func,
            (),
            {},
            _PLACEHOLDER_TRIGGER,
            JobOptions(executor),
            next_run_time,
            version,
        )
        return Unreadable(stub, f"its row can't be read: {safe_str(error)}", error)
    if next_run_time is not None:
        next_run_time = next_run_time.astimezone(zone or timezone)
    function = None if functions is None else functions.get(func)
    if function is None:
        function = _function(func)
        if functions is not None:
            functions[func] = function
    return JobRecord(
        job_id, name, function, func, args, kwargs, trigger, options, next_run_time, version, counters
    )


def _function(reference: str) -> Any:
    """The function of a reference; ``None`` if it isn't here: the engine parks a job without function."""
    try:
        return ref_to_obj(reference)
    except Exception:  # noqa: BLE001 - importing runs a user's module
        return None


_PLACEHOLDER_TRIGGER = DateTrigger(datetime(1970, 1, 1, tzinfo=UTC))


def is_equal(
    other: JobRecord | Unreadable, record: JobRecord, written: str, serializer: ArgumentSerializer
) -> bool:
    """Whether a stored job of the same function has the same arguments, and the same schedule.

    Args:
        written: the arguments of `record`, as they are stored.
    """
    return (
        not isinstance(other, Unreadable)
        and serializer.dumps(record.id, other.args, other.kwargs) == unsealed(written)[0]
        and other.trigger.is_same_schedule(record.trigger)
    )


def in_order(read: Iterable[JobRecord | Unreadable], query: JobQuery) -> list[JobRecord | Unreadable]:
    """Those of all jobs that are asked for, soonest first, paused ones last; and what can't be read."""
    records, unreadable = [], []
    for one in read:
        if isinstance(one, Unreadable):
            unreadable.append(one)
        else:
            records.append(one)
    records.sort(key=lambda record: (record.next_run_time is None, due_timestamp(record), record.id))
    return [*query.of(records), *unreadable]


def due_timestamp(record: JobRecord) -> float:
    """When a job is due, to sort by; 0 if it is paused."""
    return 0.0 if record.next_run_time is None else record.next_run_time.timestamp()
