"""``mainspring completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from mainspring.cli.examples import Command

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    examples=("mainspring completion bash",),
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Write the completion script of a shell."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"this release of click knows no completion for {shell}")
    script = kind(context.find_root().command, {}, "mainspring", "_MAINSPRING_COMPLETE")
    click.echo(script.source())
