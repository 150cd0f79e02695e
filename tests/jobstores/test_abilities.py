"""What stores say that they can do, and whether the docs say the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from mainspring import MemoryJobStore, MongoDBJobStore, RedisJobStore, SQLAlchemyJobStore
from mainspring.jobstores.abilities import ABILITIES, table
from mainspring.jobstores.local.adapter import AdaptedStore
from pickle_store import PickleStore

DOCS = Path(__file__).parents[2] / "docs" / "stores" / "README.md"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (MemoryJobStore, "memory"),
        (lambda: AdaptedStore(PickleStore()), "adapted"),
        (lambda: SQLAlchemyJobStore("sqlite://"), "sqlite"),
        (lambda: SQLAlchemyJobStore("postgresql+psycopg://nowhere/jobs"), "postgresql"),
        (lambda: SQLAlchemyJobStore("mysql+pymysql://nowhere/jobs"), "mysql"),
        (MongoDBJobStore, "mongodb"),
        (RedisJobStore, "redis"),
    ],
)
def test_each_store_says_what_kind_it_is(make, kind):
    assert make().kind == kind


def test_the_docs_have_the_table_that_the_code_prints():
    text = DOCS.read_text()
    between = text.partition("<!-- abilities -->\n")[2].partition("\n<!-- /abilities -->")[0]
    assert between == table(), "put the output of `python -m mainspring.jobstores.abilities` there"
    assert len(ABILITIES) == table().splitlines()[1].count("---") - 1
    printed = subprocess.run(
        [sys.executable, "-m", "mainspring.jobstores.abilities"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == f"{table()}\n"
