"""Questions about APScheduler's version are answered as programs written for it need them."""

from importlib.metadata import version as version_of

import mainspring

ALIASED = "import mainspring.as_apscheduler\n"


def test_the_package_says_the_release_whose_interface_it_has(python):
    code = ALIASED + (
        "import apscheduler as a; print(a.version, a.__version__, a.release, a.version_info >= (3, 11, 3), a.version_info)"
    )
    assert python("-c", code).stdout == "3.11.3 3.11.3 3.11.3 True (3, 11, 3)\n"


def test_without_the_alias_mainsprings_own_version_is_told():
    assert mainspring.__version__ == version_of("mainspring") != "3.11.3"


def test_with_the_alias_the_metadata_still_have_mainsprings_own(python):
    code = ALIASED + "from importlib.metadata import version; print(version('mainspring'))"
    assert python("-c", code).stdout.strip() == version_of("mainspring")


def test_metadata_where_apscheduler_is_not_installed(python):
    code = (
        ALIASED
        + """
from importlib import metadata
print(metadata.version("apscheduler"), metadata.version("APScheduler"))
found = metadata.distribution("apscheduler")
print(found.metadata["Name"], found.version, found.requires, list(found.entry_points), found.files)
print(metadata.requires("apscheduler"), metadata.metadata("apscheduler")["Version"])
print(found.locate_file("apscheduler").parent.joinpath("mainspring").is_dir())
print(len(metadata.entry_points(group="apscheduler.triggers")))
print([d.metadata["Name"] for d in metadata.distributions() if d.metadata["Name"] == "APScheduler"])
try:
    metadata.version("apschedulers")
except metadata.PackageNotFoundError:
    print("only by its name")
"""
    )
    assert python("-c", code).stdout.splitlines() == [
        "3.11.3 3.11.3",
        "APScheduler 3.11.3 ['mainspring'] [] None",
        "['mainspring'] 3.11.3",
        "True",
        "0",
        "[]",
        "only by its name",
    ]


def test_an_installed_apscheduler_answers_for_itself(python, installed_apscheduler):
    code = ALIASED + (
        "from importlib import metadata\n"
        "print(metadata.version('apscheduler'), [d.version for d in metadata.distributions(name='apscheduler')])"
    )
    assert python("-c", code, path=[installed_apscheduler]).stdout == "3.10.4 ['3.10.4']\n"
