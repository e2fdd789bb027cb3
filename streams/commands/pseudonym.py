"""`freshrec pseudonym ID`: under which id the topics and the state know somebody. Reads the key only."""

import click

from schemas.settings import Settings
from streams.commands.context import pass_settings
from streams.errors import SettingsError
from streams.pseudonyms import pseudonyms_of
from streams.secrets import PSEUDONYM_KEY


@click.command()
@click.argument("name", metavar="ID")
@click.option("--session", "kind", flag_value="session", help="ID is a session's.")
@click.option("--order", "kind", flag_value="order", help="ID is an order's.")
@pass_settings
def pseudonym(settings: Settings, name: str, kind: str | None) -> None:
    """Print the pseudonym of a customer, as the key of the settings makes it.

    Services that read recommendations or segments find a customer under it.
    """
    pseudonyms = pseudonyms_of(settings.privacy)
    if not pseudonyms.on:
        raise SettingsError(
            f"there is no key, so every id stays as it is: name a file with one with "
            f"{PSEUDONYM_KEY.setting}, or set {PSEUDONYM_KEY.variable}"
        )
    make = {"session": pseudonyms.session, "order": pseudonyms.order}.get(kind or "", pseudonyms.user)
    click.echo(make(name))
