"""What the errors of databases mean: each row of the tables, with an error as the driver makes it."""

from __future__ import annotations

import sqlite3

import psycopg
import pymysql
import pytest
from pymongo import errors as mongo_errors
from redis import exceptions as redis_errors
from sqlalchemy import exc

from mainspring.jobstores.mongodb import failures as mongodb
from mainspring.jobstores.redis import failures as redis
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.sqlalchemy import failures as sql
from mainspring.jobstores.sqlalchemy.failures import mysql, postgresql, sqlite

pytestmark = pytest.mark.one_python

CONFLICT, OUTAGE, CHANGED = Failure.CONFLICT, Failure.OUTAGE, Failure.CHANGED
FULL, TOO_LARGE, PERMANENT = Failure.FULL, Failure.TOO_LARGE, Failure.PERMANENT

STATES = {
    CONFLICT: ["40001", "40P01", "55006", "55P03"],
    OUTAGE: ["08004", "25P03", "40003", "57P03"],
    CHANGED: ["25006", "57P01", "57P02", "57P05"],
    FULL: ["53100", "53200", "58030", "58P01"],
    TOO_LARGE: ["22001", "53400", "54000", "54001", "54023"],
    PERMANENT: ["28000", "28P01", "3D000", "3F000", "42501", "42P01", "57P04"],
}
NUMBERS = {
    CONFLICT: [1020, 1205, 1206, 1213, 1412, 1615, 3058, 3101, 3572],
    OUTAGE: [
        0,
        1040,
        1043,
        1047,
        1053,
        1077,
        1079,
        1129,
        1152,
        1156,
        1158,
        1159,
        1160,
        1161,
        1184,
        1203,
        1226,
        1317,
        1969,
        2001,
        2002,
        2003,
        2004,
        2006,
        2012,
        2013,
        2014,
        2026,
        2027,
        2045,
        2055,
        3024,
        3168,
        9001,
        9002,
    ],
    CHANGED: [1223, 1792, 1836, 1927, 2005, 3100, 3169, 4031],
    FULL: [3, 28, 122, 1021, 1026, 1037, 1038, 1041, 1114],
    TOO_LARGE: [1118, 1153, 1197, 1301, 1406, 2020],
    PERMANENT: [
        1044,
        1045,
        1049,
        1059,
        1102,
        1103,
        1130,
        1142,
        1143,
        1146,
        1227,
        1251,
        1370,
        1524,
        1698,
        1820,
        1862,
        2047,
        2049,
        2054,
        2058,
        2059,
        2061,
        3118,
        3159,
        4151,
    ],
}
CODES = {
    CONFLICT: [4, 5, 6, 15, 17, 264, 520],
    OUTAGE: [9, 14],
    CHANGED: [1032],
    FULL: [7, 10, 13, 3082],
    TOO_LARGE: [18],
    PERMANENT: [3, 8, 11, 22, 23, 26, 526, 1550],
}
REDIS_CODES = {
    CONFLICT: ["NOSCRIPT", "TRYAGAIN"],
    OUTAGE: ["ASK", "BUSY", "UNKILLABLE"],
    CHANGED: ["CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOREPLICAS", "READONLY", "UNBLOCKED"],
    FULL: ["MISCONF", "OOM"],
    PERMANENT: ["CROSSSLOT", "DENIED", "MOVED", "NOAUTH", "NOPERM", "WRONGPASS"],
}
MONGODB_CODES = {
    CONFLICT: [24, 46, 112, 246],
    OUTAGE: [6, 7, 50, 64, 89, 100, 133, 134, 202, 211, 262, 317, 9001, 11601],
    CHANGED: [91, 189, 10058, 10107, 11600, 11602, 13388, 13435, 13436],
    FULL: [146, 321, 14031],
    TOO_LARGE: [10003, 10334, 16493, 17280, 17419, 17420],
    PERMANENT: [11, 13, 18, 73, 79, 8000],
}


def rows(table):
    return [(key, failure) for failure, keys in table.items() for key in keys]


def raised(original, kind=exc.OperationalError, **options):
    return kind("SELECT 1", {}, original, **options)


def of_postgresql(state, text="words"):
    error = type("Error", (psycopg.OperationalError,), {"__module__": "psycopg", "sqlstate": state})(text)
    return raised(error)


def of_psycopg2(state, text="words"):
    return raised(type("Error", (Exception,), {"__module__": "psycopg2.errors", "pgcode": state})(text))


def of_sqlite(code, text="words"):
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return raised(error)


@pytest.mark.parametrize(("state", "failure"), rows(STATES))
def test_states_of_postgresql(state, failure):
    assert sql.failure_of(of_postgresql(state)) is failure
    assert sql.failure_of(of_psycopg2(state)) is failure
    pg8000 = type("DatabaseError", (Exception,), {"__module__": "pg8000.exceptions"})(
        {"S": "FATAL", "C": state}
    )
    assert sql.failure_of(raised(pg8000, exc.ProgrammingError)) is failure


@pytest.mark.parametrize(
    ("state", "failure"),
    [
        ("08006", OUTAGE),
        ("53300", OUTAGE),
        ("57014", OUTAGE),
        ("58000", FULL),
        ("42703", None),
        ("22003", None),
    ],
)
def test_classes_of_postgresql(state, failure):
    assert sql.failure_of(of_postgresql(state)) is failure


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ('connection failed: FATAL:  database "x" does not exist', PERMANENT),
        ('connection failed: FATAL:  role "x" does not exist', PERMANENT),
        ('FATAL:  database "template0" is not currently accepting connections', PERMANENT),
        ('FATAL:  password authentication failed for user "x"', PERMANENT),
        ("fe_sendauth: no password supplied", PERMANENT),
        ('FATAL:  Peer authentication failed for user "x"', PERMANENT),
        ('FATAL:  no pg_hba.conf entry for host "::1"', PERMANENT),
        ('FATAL:  pg_hba.conf rejects connection for host "::1"', PERMANENT),
        ('FATAL:  role "x" is not permitted to log in', PERMANENT),
        (
            'FATAL:  permission denied for database "x"\nDETAIL:  User does not have CONNECT privilege.',
            PERMANENT,
        ),
        ("FATAL:  no such database: x", PERMANENT),
        ("FATAL:  no such user: x", PERMANENT),
        ("FATAL:  unsupported startup parameter: options", PERMANENT),
        ("FATAL:  unsupported frontend protocol 3.0", PERMANENT),
        ('FATAL:  unrecognized configuration parameter "x"', PERMANENT),
        ('invalid connection option "x"', PERMANENT),
        ('invalid sslmode value: "x"', PERMANENT),
        ('invalid port number: "99999"', PERMANENT),
        ('invalid integer value "x" for connection option "connect_timeout"', PERMANENT),
        ("could not parse network address", PERMANENT),
        ("server does not support SSL, but SSL was required", PERMANENT),
        ("SSL error: certificate verify failed", PERMANENT),
        ('root certificate file "/x" does not exist', PERMANENT),
        ("received invalid response to SSL negotiation: H", PERMANENT),
        ("expected authentication request from server, but received H", PERMANENT),
        ('could not translate host name "x" to address: Name or service not known', CHANGED),
        ("failed to resolve host 'x': [Errno -2]", CHANGED),
        ("[Errno -2] Name or service not known", CHANGED),
        ("[Errno -3] Temporary failure in name resolution", CHANGED),
        ("session is read-only", CHANGED),
        ("cannot execute INSERT in a read-only transaction", CHANGED),
        ("could not extend file: No space left on device", FULL),
        ("could not write to file: Disk quota exceeded", FULL),
        ("invalid memory alloc request size 1073741824", TOO_LARGE),
        ("FATAL:  the database system is starting up", OUTAGE),
        ("FATAL:  sorry, too many clients already", OUTAGE),
        ('connection to server at "127.0.0.1", port 1 failed: Connection refused', OUTAGE),
        ("server closed the connection unexpectedly", OUTAGE),
    ],
)
def test_words_of_postgresql(text, failure):
    assert sql.failure_of(of_postgresql(None, text)) is failure
    assert sql.failure_of(of_psycopg2(None, text)) is failure


def test_a_pooler_says_much_with_one_state():
    assert sql.failure_of(of_postgresql("08P01", "FATAL: no such database: x")) is PERMANENT
    assert sql.failure_of(of_postgresql("08P01", "FATAL: query_wait_timeout")) is OUTAGE


@pytest.mark.parametrize(
    "text",
    [
        "received 2 results from command 'BEGIN ISOLATION LEVEL READ COMMITTED'",  # psycopg 3, behind a pooler whose server was ended
        "lost synchronization with server: got message type",
        "error with status PGRES_TUPLES_OK and no message from the libpq",  # psycopg 2
    ],
)
def test_a_connection_that_is_out_of_step_is_made_anew(text):
    assert sql.failure_of(raised(psycopg.InternalError(text), exc.InternalError)) is OUTAGE


def test_an_option_that_no_connection_has_is_wrong_for_good():
    error = psycopg.ProgrammingError('invalid connection option "x"')
    assert sql.failure_of(raised(error, exc.ProgrammingError)) is PERMANENT


def test_a_fault_of_a_statement_without_a_state_is_none_of_the_database():
    assert (
        sql.failure_of(raised(psycopg.ProgrammingError("too few parameters"), exc.ProgrammingError)) is None
    )


@pytest.mark.parametrize(("number", "failure"), rows(NUMBERS))
def test_numbers_of_mysql(number, failure):
    assert sql.failure_of(raised(pymysql.err.OperationalError(number, "words"))) is failure
    mysqlclient = type("OperationalError", (Exception,), {"__module__": "MySQLdb"})(number, "words")
    assert sql.failure_of(raised(mysqlclient)) is failure
    connector = type(
        "Error", (Exception,), {"__module__": "mysql.connector.errors", "errno": number, "sqlstate": "HY000"}
    )
    assert sql.failure_of(raised(connector("words"))) is failure


@pytest.mark.parametrize(
    ("number", "text", "failure"),
    [
        (
            1290,
            "The MariaDB server is running with the --read-only option so it cannot execute this statement",
            CHANGED,
        ),
        (1290, "… running with the --secure-file-priv option …", None),
        (1290, "… the read_only option …", CHANGED),
        (1030, 'Got error 28 "No space left on device" from storage engine InnoDB', FULL),
        (1030, "Got error 122 from storage engine", FULL),
        (1030, "Got error 168 - 'Unknown (generic) error' from engine", None),
        (1180, "Got error 28 during COMMIT: No space left on device", FULL),
        (1180, "Got error 149 - 'Lock deadlock' during COMMIT", CONFLICT),
        (2003, "Can't connect to MySQL server on 'x' ([Errno -2] Name or service not known)", CHANGED),
        (2003, "Can't connect ([Errno -3] Temporary failure in name resolution)", CHANGED),
        (2003, "Can't connect ([Errno 11001] getaddrinfo failed)", CHANGED),
        (2026, "SSL connection error: certificate verify failed", PERMANENT),
        (2026, "SSL connection error: SSL is required, but the server does not support it", PERMANENT),
        (1064, "You have an error in your SQL syntax", None),
    ],
)
def test_words_of_mysql(number, text, failure):
    assert sql.failure_of(raised(pymysql.err.OperationalError(number, text))) is failure


@pytest.mark.parametrize(("code", "failure"), rows(CODES))
def test_codes_of_sqlite(code, failure):
    assert sql.failure_of(of_sqlite(code)) is failure
    assert sql.failure_of(of_sqlite(code | 0x7700 if code < 256 else code)) is failure


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("database is locked", CONFLICT),
        ("database table is locked: x", CONFLICT),
        ("database schema has changed", CONFLICT),
        ("disk I/O error", FULL),
        ("database or disk is full", FULL),
        ("unable to open database file", OUTAGE),
        ("file is not a database", PERMANENT),
        ("file is encrypted or is not a database", PERMANENT),
        ("database disk image is malformed", PERMANENT),
        ("attempt to write a readonly database", PERMANENT),
        ("string or blob too big", TOO_LARGE),
        ("no such table: x", PERMANENT),
        ("no such column: x", None),
    ],
)
def test_words_of_sqlite(text, failure):
    cipher = type("OperationalError", (Exception,), {"__module__": "sqlcipher3.dbapi2"})
    assert sql.failure_of(raised(cipher(text))) is failure


def test_what_sqlalchemy_passes_on_as_a_driver_has_raised_it():
    assert sql.failure_of(pymysql.err.OperationalError(2013, "Lost connection")) is OUTAGE
    assert sql.failure_of(psycopg.OperationalError("the connection is closed")) is OUTAGE
    assert sql.failure_of(psycopg.errors.AdminShutdown("terminating connection")) is CHANGED
    assert sql.failure_of(of_sqlite(13).orig) is FULL


def test_what_sqlalchemy_says_itself():
    assert sql.failure_of(exc.TimeoutError("QueuePool limit")) is OUTAGE
    assert sql.failure_of(exc.NoSuchModuleError("x")) is PERMANENT
    assert sql.failure_of(exc.ArgumentError("x")) is PERMANENT
    assert (
        sql.failure_of(raised(psycopg.InterfaceError("x"), exc.ProgrammingError, connection_invalidated=True))
        is OUTAGE
    )
    assert sql.failure_of(of_sqlite(1)) is None
    assert sql.failure_of(ValueError("x")) is None


@pytest.mark.parametrize(("code", "failure"), rows(REDIS_CODES))
def test_codes_of_redis(code, failure):
    said = f"{code} words of the server"
    assert redis.failure_of(redis_errors.ResponseError(said)) is failure
    script = f"ERR Error running script (call to f_1): @user_script:5: @user_script: 5: -{said}"
    assert redis.failure_of(redis_errors.ResponseError(script)) is failure


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (redis_errors.AuthenticationError("invalid username-password pair"), PERMANENT),
        (ValueError("I/O operation on closed file."), OUTAGE),  # closed by another thread while it was read
        (redis_errors.AuthenticationWrongNumberOfArgsError("x"), PERMANENT),
        (redis_errors.AuthorizationError("x"), PERMANENT),
        (redis_errors.NoPermissionError("this user has no permissions"), PERMANENT),
        (redis_errors.InvalidResponse("Protocol Error: b'HTTP/1.1'"), PERMANENT),
        (redis_errors.BusyLoadingError("Redis is loading the dataset in memory"), CHANGED),
        (redis_errors.ReadOnlyError("You can't write against a read only replica."), CHANGED),
        (redis_errors.OutOfMemoryError("command not allowed"), FULL),
        (redis_errors.TryAgainError("x"), CONFLICT),
        (redis_errors.NoScriptError("No matching script"), CONFLICT),
        (redis_errors.MovedError("1 127.0.0.1:1"), PERMANENT),
        (redis_errors.AskError("1 127.0.0.1:1"), OUTAGE),
        (redis_errors.ClusterDownError("x"), CHANGED),
        (redis_errors.MasterDownError("x"), CHANGED),
        (redis_errors.ClusterCrossSlotError("x"), PERMANENT),
        (redis_errors.RedisClusterException("Redis Cluster cannot be connected"), CHANGED),
        (redis_errors.ConnectionError("Error 111 connecting to 127.0.0.1:1. Connection refused."), OUTAGE),
        (redis_errors.ConnectionError("Error -2 connecting to x:1. Name or service not known."), CHANGED),
        (
            redis_errors.ConnectionError("Error -3 connecting to x:1. Temporary failure in name resolution."),
            CHANGED,
        ),
        (redis_errors.ConnectionError("No master found for 'mymaster'"), CHANGED),
        (redis_errors.ConnectionError("No slave found for 'mymaster'"), CHANGED),
        (
            redis_errors.ConnectionError("SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
            PERMANENT,
        ),
        (redis_errors.ConnectionError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), PERMANENT),
        (redis_errors.ConnectionError("max number of clients reached"), OUTAGE),
        (redis_errors.MaxConnectionsError("Too many connections"), OUTAGE),
        (redis_errors.TimeoutError("Timeout reading from socket"), OUTAGE),
        (redis_errors.ResponseError("DB index is out of range"), PERMANENT),
        (redis_errors.ResponseError("SELECT is not allowed in cluster mode"), PERMANENT),
        (redis_errors.ResponseError("AUTH <password> called without any password configured"), PERMANENT),
        (redis_errors.ResponseError("Client sent AUTH, but no password is set"), PERMANENT),
        (redis_errors.ResponseError("unknown command 'EVALSHA'"), PERMANENT),
        (redis_errors.ResponseError("ERR Unknown Redis command called from script"), PERMANENT),
        (redis_errors.ResponseError("Redis is running in protected mode"), PERMANENT),
        (redis_errors.ResponseError("string exceeds maximum allowed size (proto-max-bulk-len)"), TOO_LARGE),
        (redis_errors.ResponseError("Protocol error: invalid bulk length"), TOO_LARGE),
        (redis_errors.ResponseError("Protocol error: invalid multibulk length"), TOO_LARGE),
        (redis_errors.ResponseError("Protocol error: too big inline request"), TOO_LARGE),
        (redis_errors.ResponseError("WRONGTYPE Operation against a key"), None),
        (ValueError("x"), None),
    ],
)
def test_words_and_classes_of_redis(error, failure):
    assert redis.failure_of(error) is failure


@pytest.mark.parametrize(("code", "failure"), rows(MONGODB_CODES))
def test_codes_of_mongodb(code, failure):
    assert mongodb.failure_of(mongo_errors.OperationFailure("words", code)) is failure
    one = {"index": 0, "code": code, "errmsg": "words"}
    assert (
        mongodb.failure_of(mongo_errors.BulkWriteError({"writeErrors": [one], "writeConcernErrors": []}))
        is failure
    )
    assert (
        mongodb.failure_of(mongo_errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [one]}))
        is failure
    )


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (mongo_errors.DocumentTooLarge("x"), TOO_LARGE),
        (mongo_errors.DuplicateKeyError("x", 11000), CONFLICT),
        (mongo_errors.NotPrimaryError("x"), CHANGED),
        (mongo_errors.AutoReconnect("x"), OUTAGE),
        (mongo_errors.NetworkTimeout("x"), OUTAGE),
        (mongo_errors.WaitQueueTimeoutError("x"), OUTAGE),
        (mongo_errors.ServerSelectionTimeoutError("127.0.0.1:1: [Errno 111] Connection refused"), OUTAGE),
        (mongo_errors.ServerSelectionTimeoutError("x:1: [Errno -2] Name or service not known"), CHANGED),
        (mongo_errors.ServerSelectionTimeoutError("x:1: Temporary failure in name resolution"), CHANGED),
        (
            mongo_errors.ServerSelectionTimeoutError("SSL handshake failed: certificate verify failed"),
            PERMANENT,
        ),
        (mongo_errors.ServerSelectionTimeoutError("[SSL: WRONG_VERSION_NUMBER]"), PERMANENT),
        (mongo_errors.ExecutionTimeout("x"), OUTAGE),
        (mongo_errors.WTimeoutError("x"), OUTAGE),
        (mongo_errors.ConfigurationError("Unknown option"), PERMANENT),
        (mongo_errors.InvalidURI("x"), PERMANENT),
        (mongo_errors.InvalidName("x"), PERMANENT),
        (mongo_errors.OperationFailure("write failed: No space left on device"), FULL),
        (mongo_errors.OperationFailure("object to insert too large"), TOO_LARGE),
        (mongo_errors.OperationFailure("user is not authorized on x"), PERMANENT),
        (mongo_errors.OperationFailure("x", 1, {"errorLabels": ["RetryableWriteError"]}), OUTAGE),
        (mongo_errors.OperationFailure("x", 1, {"errorLabels": ["TransientTransactionError"]}), OUTAGE),
        (mongo_errors.OperationFailure("bad", 2), None),
        (mongo_errors.BulkWriteError({"writeErrors": [{"code": 11000}, {"code": 91}]}), None),
        (mongo_errors.BulkWriteError({"writeErrors": [{"code": 11000}]}), None),
        (ValueError("x"), None),
    ],
)
def test_words_and_classes_of_mongodb(error, failure):
    assert mongodb.failure_of(error) is failure


@pytest.mark.parametrize(
    ("table", "tested"),
    [
        (postgresql.STATES, STATES),
        (mysql.NUMBERS, NUMBERS),
        (sqlite.KINDS | sqlite.CODES, CODES),
        (redis.CODES, REDIS_CODES),
        (mongodb.CODES, MONGODB_CODES),
    ],
)
def test_no_row_is_without_a_test(table, tested):
    assert dict(table) == dict(rows(tested))


def test_what_passes():
    assert [failure.passes for failure in (CONFLICT, OUTAGE, CHANGED, FULL, TOO_LARGE, PERMANENT)] == [
        True
    ] * 4 + [False] * 2
