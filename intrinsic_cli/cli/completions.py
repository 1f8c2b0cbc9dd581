"""``iid completions``: the script that teaches a shell to complete ``iid``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from intrinsic_cli.cli import options

SHELLS = ("bash", "zsh", "fish")
#: What the script for zsh has beside click's: words that go on, with no space behind them.
ZSH_KEEP = """\
            elif [[ "$key" == *[=:] ]]; then
                begun+=("$key":"$descr")
"""
ZSH_BEGUN = """\
    if [ -n "$begun" ]; then
        _describe -V unsorted begun -U -S ''
    fi

"""


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
    return _goes_on_in_zsh(text) if shell == "zsh" else text


def _goes_on_in_zsh(text: str) -> str:
    """click's script, which behind `data:` completes a path, and writes no space there, nor behind
    `key=`."""
    text = text.replace("_path_files -/", "compset -P '*:'; _path_files -/")
    described = '    if [ -n "$completions_with_descriptions" ]'
    text = text.replace(described, f"{ZSH_BEGUN}{described}")
    text = text.replace("    local -a response", "    local -a begun\n    local -a response")
    kept = "            else\n                completions_with_descriptions+="
    return text.replace(kept, f"{ZSH_KEEP}{kept}")
