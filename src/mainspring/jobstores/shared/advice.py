"""What to do about a store that can't be used as it is set up, by what its server or driver has said."""

from __future__ import annotations

import re

#: By what is said; the first that is found counts.
_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r'database ".*" does not exist|no such database|unknown database',
        "create the database, or name another one in the URL",
    ),
    (
        r"database.*is not currently accepting",
        "let it accept connections (ALTER DATABASE … ALLOW_CONNECTIONS true), or name another one in the URL",
    ),
    (r'schema ".*" does not exist|no schema', "create the schema, or give another tableschema"),
    (r'role ".*" does not exist|no such user', "create the role, or name another user in the URL"),
    (
        r"not permitted to log in|account is locked",
        "let this user log in (ALTER ROLE … LOGIN, ALTER USER … ACCOUNT UNLOCK), or name another one in the URL",
    ),
    (
        r"must set password|password has expired|must change (the|your) password|reset your password",
        "give this user a new password, and put it into the URL",
    ),
    (
        r"no pg_hba.conf entry|pg_hba.conf rejects|is not allowed to connect",
        "let the server accept this user from this host",
    ),
    (
        r"access denied for user .* to database|permission denied for database",
        "give this user the permission",
    ),
    (
        r"access denied for user|password|authentication|authenticated|wrongpass|noauth|invalid username|auth <password>|auth failed",
        "check the user and the password in the URL",
    ),
    (
        r"access denied|permission denied|command denied|nopermission|no permissions|not authorized|noperm|user executing the script|acl failure",
        "give this user the permission",
    ),
    (r"ssl|certificate|tls", "check the settings of TLS on both sides"),
    (r"db index is out of range", "give a number of a database that the server has"),
    (r"moved|cross ?slot|cluster mode", "give a client of a cluster: RedisJobStore(client=RedisCluster(…))"),
    (r"protected mode", "let the server accept connections, or connect from its own machine"),
    (
        r"protocol error|invalid response|authentication request|http",
        "check host and port: something else listens there",
    ),
    (
        r"startup parameter",
        "the pooler takes no options of sessions: leave them out of url and connect_args, or set ignore_startup_parameters = options",
    ),
    (r"statement pooling mode", "let the pooler keep transactions together (pool_mode = transaction)"),
    (r"port|connection option|integer value|parse", "correct the URL"),
)


def advice_on(words: str) -> str:
    """What to do about what a server or driver has said."""
    text = words.lower()
    return next(
        (advice for said, advice in _ADVICE if re.search(said, text)), "correct what it says, and start again"
    )
