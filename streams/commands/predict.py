"""`freshrec predict USER`: what the trees say of a customer's session, and why, from a state directory."""

from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from online_models.outcomes import begin, copy_of, look_at
from online_models.tree_answers import BUYS, TASKS
from schemas.settings import Settings
from schemas.trees import Predictions, VisitRow
from streams.commands.answers import answer_options, print_json, stored_views, unknown
from streams.commands.context import pass_settings
from streams.errors import NotFoundError
from streams.pseudonyms import pseudonyms_of

_TITLES: Final = {BUYS: "an order in this session", "next": "the next category"}


@click.command()
@click.argument("user")
@answer_options
@pass_settings
def predict(settings: Settings, user: str, state: Path | None, as_json: bool) -> int:
    """Predict what comes of a customer's session (or, by session id, a guest's), and say why.

    Shown are the chance of an order in the session and the next category, each with the path through its
    tree and the number of examples in its leaf. Of a customer whose session has ended, a new one is assumed.
    With pseudonyms, USER is the plain id; the answer bears the pseudonym, as topics do.
    """
    pseudonyms = pseudonyms_of(settings.privacy)
    with stored_views(settings, state) as views:
        key = f"u:{pseudonyms.user(user)}"
        row = views.visit(key)
        if row is None:
            key = f"s:{pseudonyms.session(user)}"
            row = views.visit(key)
        trees = views.trees()
        if row is None:
            return unknown("customer", user, as_json=as_json)
        look = look_at(_begun(row), key, row.last_at)
        found = [trees.explain(look, task) for task in TASKS] if trees else []
        predictions = [each for each in found if each is not None]
        if not predictions and not as_json:
            raise NotFoundError(
                f"there are no trees yet: they come once {settings.trees.warm_up} looks at sessions "
                f"have an outcome"
            )
        kind, _, name = key.partition(":")
        message = Predictions(
            name if kind == "u" else None,
            name if kind == "s" else None,
            row.last_at,
            row.events > 0,
            predictions,
        )
        if as_json:
            print_json(message)
        else:
            _show(message, user)
        return 0


def _begun(row: VisitRow) -> VisitRow:
    """Return the row with its open session, or with one that begins where the last one ended."""
    if row.events:
        return row
    fresh = copy_of(row)
    begin(fresh, row.last_at, "")
    return fresh


def _show(message: Predictions, user: str) -> None:
    table = Table("what", "chance", "n", "because", title=f"for {user}")
    for prediction in message.predictions:
        because = "; ".join(prediction.path) or "that is how all sessions are"
        for place, answer in enumerate(prediction.answers):
            if prediction.task == BUYS and answer.outcome != "order":
                continue
            name = _TITLES[prediction.task]
            if prediction.task != BUYS:
                name += f": {answer.outcome or 'any other'}"
            shown = because if place == 0 or prediction.task == BUYS else ""
            table.add_row(name, f"{answer.probability:.3f}", f"{prediction.examples:,}", shown)
    Console(markup=False).print(table)
