"""Tells PyInstaller where the hooks are by which it freezes programs that use mainspring."""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folders with hooks, as the entry point ``pyinstaller40`` wants them."""
    return [str(Path(__file__).parent)]
