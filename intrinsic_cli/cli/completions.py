"""``iid completions``: the script that teaches a shell to complete ``iid``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from intrinsic_cli.cli import options

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@options.debug
def completions(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: iid completions bash > ~/.local/share/bash-completion/completions/iid
    zsh:  iid completions zsh  > "${fpath[1]}/_iid"
    fish: iid completions fish > ~/.config/fish/completions/iid.fish
    """
    click.echo(script(shell), nl=False)


def script(shell: str) -> str:
    """Our own for bash, what click generates for the others."""
    from intrinsic_cli.cli import bash, iid

    if shell == "bash":
        return bash.SCRIPT
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}; there is one for bash, zsh and fish")
    made = kind(iid, {}, "iid", "_IID_COMPLETE")
    text = made.source_template % made.source_vars() + "\n"
    # Behind `data:` a path begins.
    return text.replace("_path_files -/", "compset -P '*:'; _path_files -/")
