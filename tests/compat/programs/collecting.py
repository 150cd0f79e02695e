"""Which programs there are: read from the files of `themes/`, without running them."""

from __future__ import annotations

import ast
from pathlib import Path

THEMES = Path(__file__).parent / "themes"


def themes() -> list[str]:
    return sorted(path.stem for path in THEMES.glob("*.py"))


def programs(theme: str) -> list[str]:
    """The names of a theme's programs, in their order."""
    names: list[str] = []
    tables: dict[str, ast.expr] = {}
    for node in ast.parse((THEMES / f"{theme}.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            tables[node.targets[0].id] = node.value
        elif isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                names += _registered(node.name, decorator, tables)
    return names


def _registered(function: str, decorator: ast.expr, tables: dict[str, ast.expr]) -> list[str]:
    if isinstance(decorator, ast.Name) and decorator.id == "program":
        return [function]
    if (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "each"
    ):
        (rows,) = decorator.args
        if isinstance(rows, ast.Name):
            rows = tables[rows.id]
        return [f"{function}[{row}]" for row in ast.literal_eval(rows)]  # of a mapping, its keys
    return []
