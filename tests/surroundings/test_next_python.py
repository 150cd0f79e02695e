"""The project's own tests on a Python that isn't released for this machine yet: that of Debian's unstable, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from .programs import CHECKOUT, run

DEBIAN = [
    "mmdebstrap",
    "--variant=minbase",
    '--aptopt=Acquire::Check-Valid-Until "false"',
    "--include=python3,python3-venv,ca-certificates",
]
#: Qt and compilers of the system aren't there.
LEFT_OUT = [
    "tests/surroundings",
    "tests/mutants",
    "tests/fire",
    "tests/test_misspelt_keywords.py",
    "tests/loops",
]


#: They import all that there is, Qt among it.
NEED_QT = [
    "tests/alias/test_former_names.py::test_each_name_is_there[mainspring.schedulers.qt]",
    "tests/alias/test_same_modules.py",
    "tests/schedulers/test_configuration.py::test_all_public_names_can_be_had",
]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_tests_on_the_python_of_debian_unstable(tmp_path):
    if os.getuid() or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root, and mmdebstrap (apt-get install mmdebstrap)")
    root = tmp_path / "root"
    made = subprocess.run(
        [*DEBIAN, "unstable", root], capture_output=True, text=True, check=False, timeout=900
    )
    if made.returncode:
        pytest.skip(f"Debian can't be reached: {made.stderr[-300:]}")
    for file in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(f"/{file}", root / file)
    (root / "checkout").mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=CHECKOUT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "x", "-C", root / "checkout"], input=archive, check=True)
    inside = [
        "chroot",
        root,
        "env",
        "-i",
        "HOME=/root",
        "LC_ALL=C.UTF-8",
        "PATH=/environment/bin:/usr/bin:/bin",
        "PIP_CERT=/etc/ssl/certs/ca-certificates.crt",
        "sh",
        "-ec",
    ]
    run(
        [
            *inside,
            "python3 -m venv /environment; cd /checkout; pip install -q -U pip; pip install -q -e . --group dev",
        ],
        timeout=900,
    )
    leaves_out = " ".join(
        [*(f"--ignore {path}" for path in LEFT_OUT), *(f"--deselect '{test}'" for test in NEED_QT)]
    )
    said, _ = run(
        [
            *inside,
            f"cd /checkout; python -m pytest -q -n 4 --dist loadgroup -p no:cacheprovider -m 'not soak and not every_python and not one_python' {leaves_out}",
        ],
        timeout=2400,
    )
    print(said[-2000:])
