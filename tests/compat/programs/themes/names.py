"""What can be imported from where, which values constants have, and how methods may be called."""

import importlib
import inspect

from kit import each, evaluated

NAMES = [
    "apscheduler: version, version_info, release, __version__",
    "apscheduler.events: EVENT_ALL, EVENT_SCHEDULER_START, EVENT_SCHEDULER_STARTED, EVENT_SCHEDULER_SHUTDOWN, EVENT_SCHEDULER_PAUSED, EVENT_SCHEDULER_RESUMED, EVENT_EXECUTOR_ADDED, EVENT_EXECUTOR_REMOVED, EVENT_JOBSTORE_ADDED",
    "apscheduler.events: EVENT_JOBSTORE_REMOVED, EVENT_ALL_JOBS_REMOVED, EVENT_JOB_ADDED, EVENT_JOB_REMOVED, EVENT_JOB_MODIFIED, EVENT_JOB_EXECUTED, EVENT_JOB_ERROR, EVENT_JOB_MISSED, EVENT_JOB_SUBMITTED, EVENT_JOB_MAX_INSTANCES",
    "apscheduler.events: SchedulerEvent, JobEvent, JobSubmissionEvent, JobExecutionEvent",
    "apscheduler.job: Job, BaseTrigger, check_callable_args, convert_to_datetime, datetime_repr, get_callable_name, obj_to_ref, ref_to_obj",
    "apscheduler.schedulers: SchedulerAlreadyRunningError, SchedulerNotRunningError",
    "apscheduler.schedulers.base: BaseScheduler, STATE_STOPPED, STATE_RUNNING, STATE_PAUSED, BaseExecutor, MaxInstancesReachedError, ThreadPoolExecutor, Job",
    "apscheduler.schedulers.base: BaseJobStore, ConflictingIdError, JobLookupError, MemoryJobStore, BaseTrigger, undefined, maybe_ref, obj_to_ref, ref_to_obj, asbool, asint, astimezone, get_localzone, TIMEOUT_MAX",
    "apscheduler.schedulers.base: EVENT_ALL, EVENT_JOB_SUBMITTED, EVENT_JOB_MAX_INSTANCES, JobEvent, JobSubmissionEvent, SchedulerEvent, SchedulerAlreadyRunningError, SchedulerNotRunningError",
    "apscheduler.schedulers.blocking: BlockingScheduler, BaseScheduler, STATE_STOPPED, TIMEOUT_MAX",
    "apscheduler.schedulers.background: BackgroundScheduler, BlockingScheduler, BaseScheduler, asbool",
    "apscheduler.schedulers.asyncio: AsyncIOScheduler, BaseScheduler, run_in_event_loop, maybe_ref",
    "apscheduler.executors.base: BaseExecutor, MaxInstancesReachedError, run_job, run_coroutine_job, JobExecutionEvent, EVENT_JOB_MISSED, EVENT_JOB_ERROR, EVENT_JOB_EXECUTED",
    "apscheduler.executors.pool: BasePoolExecutor, ThreadPoolExecutor, ProcessPoolExecutor, BaseExecutor, run_job",
    "apscheduler.executors.debug: DebugExecutor, BaseExecutor, run_job",
    "apscheduler.executors.asyncio: AsyncIOExecutor, BaseExecutor, run_job, run_coroutine_job, iscoroutinefunction_partial",
    "apscheduler.jobstores.base: BaseJobStore, JobLookupError, ConflictingIdError, TransientJobError",
    "apscheduler.jobstores.memory: MemoryJobStore, BaseJobStore, ConflictingIdError, JobLookupError, datetime_to_utc_timestamp",
    "apscheduler.jobstores.sqlalchemy: SQLAlchemyJobStore, BaseJobStore, ConflictingIdError, JobLookupError, Job, maybe_ref, datetime_to_utc_timestamp, utc_timestamp_to_datetime",
    "apscheduler.triggers.base: BaseTrigger",
    "apscheduler.triggers.date: DateTrigger, BaseTrigger, astimezone, convert_to_datetime, datetime_repr",
    "apscheduler.triggers.interval: IntervalTrigger, BaseTrigger, astimezone, convert_to_datetime, datetime_repr",
    "apscheduler.triggers.calendarinterval: CalendarIntervalTrigger, BaseTrigger, asdate, astimezone, timezone_repr",
    "apscheduler.triggers.combining: AndTrigger, OrTrigger, BaseCombiningTrigger",
    "apscheduler.triggers.cron: CronTrigger, BaseTrigger, BaseField, DEFAULT_VALUES, DayOfMonthField, DayOfWeekField, MonthField, WeekField, astimezone, convert_to_datetime, datetime_ceil, datetime_repr",
    "apscheduler.triggers.cron.fields: BaseField, WeekField, DayOfMonthField, DayOfWeekField, MonthField, MIN_VALUES, MAX_VALUES, DEFAULT_VALUES",
    "apscheduler.triggers.cron.expressions: AllExpression, RangeExpression, MonthRangeExpression, WeekdayRangeExpression, WeekdayPositionExpression, LastDayOfMonthExpression, WEEKDAYS, MONTHS",
    "apscheduler.util: asbool, asdate, asint, astimezone, check_callable_args, convert_to_datetime, datetime_ceil, datetime_repr, datetime_to_utc_timestamp, datetime_utc_add, get_callable_name, localize",
    "apscheduler.util: maybe_ref, normalize, obj_to_ref, ref_to_obj, undefined, utc_timestamp_to_datetime, iscoroutinefunction_partial, timedelta_seconds, timezone_repr, UTC",
]


@each(NAMES)
def imported(row):
    place, names = row.split(": ")
    module = importlib.import_module(place)
    print([name for name in names.split(", ") if not hasattr(module, name)])


STAR = [
    "apscheduler.util",
    "apscheduler.events",
    "apscheduler.triggers.cron.fields",
    "apscheduler.triggers.cron.expressions",
]


@each(STAR)
def imported_by_a_star(row):
    space = {}
    exec(f"from {row} import *", space)
    module = importlib.import_module(row)
    wanted = {
        "apscheduler.util": ["asbool", "undefined", "localize"],
        "apscheduler.events": ["EVENT_ALL", "JobEvent"],
        "apscheduler.triggers.cron.fields": ["BaseField", "MIN_VALUES"],
        "apscheduler.triggers.cron.expressions": ["AllExpression", "RangeExpression"],
    }[row]
    print([name in space for name in wanted], hasattr(module, "__all__"))


VALUES = [
    "events.EVENT_ALL", "events.EVENT_SCHEDULER_START", "events.EVENT_SCHEDULER_STARTED", "events.EVENT_SCHEDULER_SHUTDOWN", "events.EVENT_SCHEDULER_PAUSED", "events.EVENT_SCHEDULER_RESUMED", "events.EVENT_EXECUTOR_ADDED", "events.EVENT_EXECUTOR_REMOVED",
    "events.EVENT_JOBSTORE_ADDED", "events.EVENT_JOBSTORE_REMOVED", "events.EVENT_ALL_JOBS_REMOVED", "events.EVENT_JOB_ADDED", "events.EVENT_JOB_REMOVED", "events.EVENT_JOB_MODIFIED", "events.EVENT_JOB_EXECUTED", "events.EVENT_JOB_ERROR", "events.EVENT_JOB_MISSED",
    "events.EVENT_JOB_SUBMITTED", "events.EVENT_JOB_MAX_INSTANCES", "apscheduler.version", "apscheduler.version_info", "apscheduler.__version__", "apscheduler.release", "expressions.WEEKDAYS", "expressions.MONTHS", "util.undefined", "bool(util.undefined)",
]  # fmt: skip


@each(VALUES)
def value(row):
    import apscheduler
    from apscheduler import events, util
    from apscheduler.triggers.cron import expressions

    print(
        evaluated(
            row, {"apscheduler": apscheduler, "events": events, "util": util, "expressions": expressions}
        )
    )


#: Methods, and the parameters that programs give by place or by name, in their order.
PARAMETERS = {
    "BaseScheduler.__init__": "apscheduler.schedulers.base",
    "BaseScheduler.configure": "apscheduler.schedulers.base",
    "BaseScheduler.start": "apscheduler.schedulers.base",
    "BaseScheduler.shutdown": "apscheduler.schedulers.base",
    "BaseScheduler.add_job": "apscheduler.schedulers.base",
    "BaseScheduler.scheduled_job": "apscheduler.schedulers.base",
    "BaseScheduler.modify_job": "apscheduler.schedulers.base",
    "BaseScheduler.reschedule_job": "apscheduler.schedulers.base",
    "BaseScheduler.pause_job": "apscheduler.schedulers.base",
    "BaseScheduler.resume_job": "apscheduler.schedulers.base",
    "BaseScheduler.get_jobs": "apscheduler.schedulers.base",
    "BaseScheduler.get_job": "apscheduler.schedulers.base",
    "BaseScheduler.remove_job": "apscheduler.schedulers.base",
    "BaseScheduler.remove_all_jobs": "apscheduler.schedulers.base",
    "BaseScheduler.print_jobs": "apscheduler.schedulers.base",
    "BaseScheduler.export_jobs": "apscheduler.schedulers.base",
    "BaseScheduler.import_jobs": "apscheduler.schedulers.base",
    "BaseScheduler.add_executor": "apscheduler.schedulers.base",
    "BaseScheduler.remove_executor": "apscheduler.schedulers.base",
    "BaseScheduler.add_jobstore": "apscheduler.schedulers.base",
    "BaseScheduler.remove_jobstore": "apscheduler.schedulers.base",
    "BaseScheduler.add_listener": "apscheduler.schedulers.base",
    "BaseScheduler.remove_listener": "apscheduler.schedulers.base",
    "Job.__init__": "apscheduler.job",
    "Job.modify": "apscheduler.job",
    "Job.reschedule": "apscheduler.job",
    "BaseExecutor.start": "apscheduler.executors.base",
    "BaseExecutor.shutdown": "apscheduler.executors.base",
    "BaseExecutor.submit_job": "apscheduler.executors.base",
    "run_job": "apscheduler.executors.base",
    "run_coroutine_job": "apscheduler.executors.base",
    "MaxInstancesReachedError.__init__": "apscheduler.executors.base",
    "ThreadPoolExecutor.__init__": "apscheduler.executors.pool",
    "ProcessPoolExecutor.__init__": "apscheduler.executors.pool",
    "BaseJobStore.start": "apscheduler.jobstores.base",
    "BaseJobStore.get_due_jobs": "apscheduler.jobstores.base",
    "BaseJobStore.lookup_job": "apscheduler.jobstores.base",
    "SQLAlchemyJobStore.__init__": "apscheduler.jobstores.sqlalchemy",
    "DateTrigger.__init__": "apscheduler.triggers.date",
    "IntervalTrigger.__init__": "apscheduler.triggers.interval",
    "CronTrigger.__init__": "apscheduler.triggers.cron",
    "CronTrigger.from_crontab": "apscheduler.triggers.cron",
    "CalendarIntervalTrigger.__init__": "apscheduler.triggers.calendarinterval",
    "AndTrigger.__init__": "apscheduler.triggers.combining",
    "OrTrigger.__init__": "apscheduler.triggers.combining",
    "BaseTrigger.get_next_fire_time": "apscheduler.triggers.base",
    "SchedulerEvent.__init__": "apscheduler.events",
    "JobEvent.__init__": "apscheduler.events",
    "JobSubmissionEvent.__init__": "apscheduler.events",
    "JobExecutionEvent.__init__": "apscheduler.events",
    "convert_to_datetime": "apscheduler.util",
    "check_callable_args": "apscheduler.util",
    "localize": "apscheduler.util",
}
TO_BE_THERE = {
    "BaseScheduler.__init__": "gconfig",
    "BaseScheduler.configure": "gconfig prefix",
    "BaseScheduler.start": "paused",
    "BaseScheduler.shutdown": "wait",
    "BaseScheduler.add_job": "func trigger args kwargs id name misfire_grace_time coalesce max_instances next_run_time jobstore executor replace_existing",
    "BaseScheduler.scheduled_job": "trigger args kwargs id name misfire_grace_time coalesce max_instances next_run_time jobstore executor",
    "BaseScheduler.modify_job": "job_id jobstore",
    "BaseScheduler.reschedule_job": "job_id jobstore trigger",
    "BaseScheduler.pause_job": "job_id jobstore",
    "BaseScheduler.resume_job": "job_id jobstore",
    "BaseScheduler.get_jobs": "jobstore pending",
    "BaseScheduler.get_job": "job_id jobstore",
    "BaseScheduler.remove_job": "job_id jobstore",
    "BaseScheduler.remove_all_jobs": "jobstore",
    "BaseScheduler.print_jobs": "jobstore out",
    "BaseScheduler.export_jobs": "outfile jobstore",
    "BaseScheduler.import_jobs": "infile jobstore",
    "BaseScheduler.add_executor": "executor alias",
    "BaseScheduler.remove_executor": "alias shutdown",
    "BaseScheduler.add_jobstore": "jobstore alias",
    "BaseScheduler.remove_jobstore": "alias shutdown",
    "BaseScheduler.add_listener": "callback mask",
    "BaseScheduler.remove_listener": "callback",
    "Job.__init__": "scheduler id",
    "Job.reschedule": "trigger",
    "BaseExecutor.start": "scheduler alias",
    "BaseExecutor.shutdown": "wait",
    "BaseExecutor.submit_job": "job run_times",
    "run_job": "job jobstore_alias run_times logger_name",
    "run_coroutine_job": "job jobstore_alias run_times logger_name",
    "MaxInstancesReachedError.__init__": "job",
    "ThreadPoolExecutor.__init__": "max_workers pool_kwargs",
    "ProcessPoolExecutor.__init__": "max_workers pool_kwargs",
    "BaseJobStore.start": "scheduler alias",
    "BaseJobStore.get_due_jobs": "now",
    "BaseJobStore.lookup_job": "job_id",
    "SQLAlchemyJobStore.__init__": "url engine tablename metadata pickle_protocol tableschema engine_options",
    "DateTrigger.__init__": "run_date timezone",
    "IntervalTrigger.__init__": "weeks days hours minutes seconds start_date end_date timezone jitter",
    "CronTrigger.__init__": "year month day week day_of_week hour minute second start_date end_date timezone jitter",
    "CronTrigger.from_crontab": "expr timezone",
    "CalendarIntervalTrigger.__init__": "years months weeks days hour minute second start_date end_date timezone jitter",
    "AndTrigger.__init__": "triggers jitter",
    "OrTrigger.__init__": "triggers jitter",
    "BaseTrigger.get_next_fire_time": "previous_fire_time now",
    "SchedulerEvent.__init__": "code alias",
    "JobEvent.__init__": "code job_id jobstore",
    "JobSubmissionEvent.__init__": "code job_id jobstore scheduled_run_times",
    "JobExecutionEvent.__init__": "code job_id jobstore scheduled_run_time retval exception traceback",
    "convert_to_datetime": "input tz arg_name",
    "check_callable_args": "func args kwargs",
    "localize": "dt tzinfo",
}


@each(TO_BE_THERE)
def parameters(row):
    """The row says which parameters programs give, by place or by name."""
    path = next(path for path, wanted in TO_BE_THERE.items() if wanted is row)
    found = importlib.import_module(PARAMETERS[path])
    for name in path.split("."):
        found = getattr(found, name)
    there = [
        parameter
        for parameter in inspect.signature(found).parameters.values()
        if parameter.name not in ("self", "cls")
    ]
    print([(one.name, one.kind.name, one.default is one.empty) for one in there if one.name in row.split()])
    print([one.name for one in there[: len(row.split())]])
