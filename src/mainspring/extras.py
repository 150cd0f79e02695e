"""What is said where a library that a part of mainspring stands on can't be imported."""

from __future__ import annotations


def library_missing(
    user: str, library: str, module: str | tuple[str, ...], extra: str, error: ImportError
) -> ImportError:
    """The error to raise: how to install the library, or why one that is installed can't be used.

    Args:
        user: the part that needs it.
        library: its name as people say it, with the oldest version that will do.
        module: its top-level module, or modules.
        extra: mainspring's extra that brings it.
        error: what its import raised.
    """
    needs = f"{user} needs {library}"
    install = f'pip install "mainspring[{extra}]"'
    modules = (module,) if isinstance(module, str) else module
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in modules:
        return ModuleNotFoundError(f"{needs}, which is not installed: {install}", name=error.name)
    return ImportError(f"{needs}, and what is installed can't be imported: {error}", name=error.name)
