"""``memtrace completion``: what a shell needs to complete the words of a command line."""

from __future__ import annotations

import click


@click.command(short_help="Print what a shell needs to complete commands and options.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    """Print a script with which SHELL completes what is typed after `memtrace`.

    \b
    The line for ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish:
      eval "$(memtrace completion bash)"
      eval "$(memtrace completion zsh)"
      memtrace completion fish | source

    \b
    Examples:
      python -m memtrace completion bash > memtrace.bash
    """
    from click.shell_completion import get_completion_class

    from memtrace.cli.commands import memtrace

    generator = get_completion_class(shell)
    assert generator is not None
    click.echo(generator(memtrace, {}, "memtrace", "_MEMTRACE_COMPLETE").source())
