"""What a frozen program needs of mainspring: parts are imported by their names, which PyInstaller can't see in the code.

Those whose library isn't installed where the program is frozen are left out.
"""

from PyInstaller.utils.hooks import collect_submodules

hiddenimports = collect_submodules(
    "mainspring",
    filter=lambda name: (
        not name.startswith(("mainspring.testing", "mainspring.pytest_plugin", "mainspring.__pyinstaller"))
    ),
    on_error="ignore",
)
