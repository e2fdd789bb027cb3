"""The page docs/commands.md: what `--help` says of every command. No command needs this module.

`python -m streams.commands.manual > docs/commands.md` writes the page.
"""

from collections.abc import Iterator

import click

from streams.cli import freshrec

WIDTH = 100
"""Columns of the help texts, whatever terminal they are written on."""


def contexts() -> Iterator[click.Context]:
    """Every command by its context, groups before their members, in the order of the help."""
    root = click.Context(freshrec, info_name="freshrec", terminal_width=WIDTH, **freshrec.context_settings)
    yield from _below(root)


def _below(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    group = ctx.command
    if isinstance(group, click.Group):
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            if command is not None:
                yield from _below(click.Context(command, parent=ctx, info_name=name))


def document() -> str:
    """Text of docs/commands.md.

    Examples
    --------
    >>> [line for line in document().splitlines() if line.startswith("#")][:4]
    ['# Commands', '## freshrec', '## freshrec kafka', '### freshrec kafka down']
    """
    return "\n\n".join([_opening(), *(_section(ctx) for ctx in contexts())]) + "\n"


def _opening() -> str:
    return (
        "# Commands\n\n"
        "What `--help` says of each. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 130\n"
        "interrupted.\n"
        "This page is generated: `python -m streams.commands.manual > docs/commands.md`."
    )


def _section(ctx: click.Context) -> str:
    path = ctx.command_path
    level = "##" if path.count(" ") < 2 else "###"
    return f"{level} {path}\n\n```text\n{ctx.get_help()}\n```"


if __name__ == "__main__":
    print(document(), end="")
