"""Settings for sub-commands: read once per command line, only by commands that ask for them."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click
import msgspec

from schemas.settings import Settings
from streams.config import Loaded, load
from streams.logging_setup import configure

P = ParamSpec("P")
R = TypeVar("R")

_LOADED = "streams.commands.context.loaded"


def loaded_of(ctx: click.Context) -> Loaded:
    """Read the settings of this command line with their origins; the first call also sets up logging.

    Raises
    ------
    SettingsError
        If a setting is unknown or cannot be used.
    """
    loaded = ctx.meta.get(_LOADED)
    if not isinstance(loaded, Loaded):
        named = ctx.find_root().obj
        loaded = load(named if isinstance(named, Path) else None)
        configure(loaded.settings.log)
        ctx.meta[_LOADED] = loaded
    return loaded


def settings_of(ctx: click.Context) -> Settings:
    """Effective settings of this command line."""
    return loaded_of(ctx).settings


def with_state(settings: Settings, state: Path | None) -> Settings:
    """Settings whose state directory is the one named on the command line, if one was."""
    if state is None:
        return settings
    return msgspec.structs.replace(settings, state=msgspec.structs.replace(settings.state, dir=str(state)))


def pass_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Decorate a command so that it gets the effective settings as its first argument."""

    @wraps(command)
    def with_settings(*args: P.args, **kwargs: P.kwargs) -> R:
        return command(settings_of(click.get_current_context()), *args, **kwargs)

    return with_settings
