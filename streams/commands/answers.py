"""`freshrec recommend|similar|rules|segment`: answers from a state directory."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from online_models import features
from online_models.experiments.variants import Variants
from online_models.kmeans import assign
from online_models.protocols import Request
from online_models.recommender import BlendRecommender
from schemas.recommendations import AssociationRules, Latency, Recommendation, Segment, Similar, SimilarItems
from schemas.settings import Settings
from streams.commands.context import pass_settings, with_state
from streams.errors import NotFoundError
from streams.in_words import in_words
from streams.pseudonyms import pseudonyms_of
from streams.stages.history import MODELS
from streams.stored_views import StoredViews

Command = TypeVar("Command", bound=Callable[..., Any])
NOT_FOUND = 3


def answer_options(command: Command) -> Command:
    """Decorate a command that answers from a state directory."""
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
    state = click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        help="State directory; state.dir of the settings by default.",
    )
    return as_json(state(command))


@contextmanager
def stored_views(settings: Settings, state: Path | None) -> Iterator[StoredViews]:
    """Open a state directory to answer from, and close it."""
    views = StoredViews(with_state(settings, state))
    try:
        yield views
    finally:
        views.close()


def print_json(message: object) -> None:
    """Print a message as its topic has it."""
    click.echo(msgspec.json.encode(message).decode())


def unknown(what: str, name: str, *, as_json: bool) -> int:
    """Say that nothing is known of a name: an empty object as JSON, else an error."""
    if as_json:
        print_json({})
        return NOT_FOUND
    raise NotFoundError(f"{what} {name!r} is not known here; check the id and --state")


@click.command()
@click.argument("user")
@answer_options
@click.option("--k", type=click.IntRange(1, 1000), help="Length of the list; recommend.k by default.")
@pass_settings
def recommend(settings: Settings, user: str, state: Path | None, as_json: bool, k: int | None) -> int:
    """Recommend for a customer (or, by session id, for a guest), with the reasons.

    With pseudonyms, USER is the plain id; the answer bears the pseudonym, as the topic does.
    """
    pseudonyms = pseudonyms_of(settings.privacy)
    with stored_views(settings, state) as views:
        key = f"u:{pseudonyms.user(user)}"
        history = views.history(key)
        if history is None or history.newest is None:
            key = f"s:{pseudonyms.session(user)}"
            history = views.history(key)
        if history is None or history.newest is None:
            return unknown("customer", user, as_json=as_json)
        cause, now = history.newest, time.time_ns() // 1_000_000
        list_id = f"{cause.topic}:{cause.partition}:{cause.offset}"
        way = Variants(views, settings, BlendRecommender(views, settings)).way(key, cause.event_at)
        request = Request(
            history=history,
            now=cause.event_at,
            key=key,
            k=k or way.k,
            seed=list_id,
            ruled_at=max(cause.event_at, views.watermark(key)),
        )
        answer = way.recommender.recommend(request)
        kind, _, name = key.partition(":")
        message = Recommendation(
            list_id,
            name if kind == "u" else None,
            name if kind == "s" else (history.sessions[-1].session_id if history.sessions else None),
            now,
            cause.event_ids,
            answer.items,
            answer.segment,
            MODELS,
            way.arm,
            Latency(cause.event_at, cause.ingested_at, now),
        )
        if as_json:
            print_json(message)
            return 0
        table = Table("rank", "item", "title", "score", "why", title=f"for {user}")
        for item in message.items:
            facts = views.item(item.item_id)
            title = (facts.title or "") if facts else ""
            why = "; ".join(in_words(reason) for reason in item.reasons)
            table.add_row(str(item.rank), item.item_id, title, f"{item.score:.3f}", why)
        Console(markup=False).print(table)
        return 0


@click.command()
@click.argument("item")
@answer_options
@pass_settings
def similar(settings: Settings, item: str, state: Path | None, as_json: bool) -> int:
    """Show the items most similar to an item."""
    with stored_views(settings, state) as views:
        found = views.neighbours(item)
        if found is None:
            return unknown("item", item, as_json=as_json)
        if as_json:
            items = [Similar(each.item_id, each.similarity, each.count) for each in found.similar]
            print_json(SimilarItems(item, items))
            return 0
        table = Table("item", "title", "similarity", "customers in common", title=f"similar to {item}")
        for each in found.similar:
            facts = views.item(each.item_id)
            title = (facts.title or "") if facts else ""
            table.add_row(each.item_id, title, f"{each.similarity:.4f}", f"{each.count:.1f}")
        Console(markup=False).print(table)
        return 0


@click.command()
@click.argument("item", required=False)
@click.option("--all", "everything", is_flag=True, help="Rules of all items; every pair, min_count ignored.")
@click.option("--top", type=click.IntRange(1), help="Only the strongest pairs of all items, by lift.")
@answer_options
@pass_settings
def rules(
    settings: Settings,
    item: str | None,
    everything: bool,
    top: int | None,
    state: Path | None,
    as_json: bool,
) -> int:
    """Show association rules of an item, or of all items."""
    if (item is None) == (not everything and top is None):
        raise click.UsageError("name one ITEM, or ask for --all or --top N")
    with stored_views(settings, state) as views:
        if item is not None:
            messages = views.association_rules(item)
            if not messages and views.rule_row(item) is None:
                return unknown("item", item, as_json=as_json)
        else:
            names = sorted(views.rule_items())
            messages = [
                each for name in names for each in views.association_rules(name, everything=everything)
            ]
        if top is not None:
            messages = _strongest(messages, top)
        if as_json:
            print_json(messages)
            return 0
        table = Table("scope", "item", "→", "count", "support", "confidence", "lift", title="rules")
        for message in messages:
            for rule in message.rules:
                table.add_row(
                    message.scope,
                    _named(views, message.item_id),
                    _named(views, rule.item_id),
                    f"{rule.count:g}",
                    f"{rule.support:.4f}",
                    f"{rule.confidence:.3f}",
                    f"{rule.lift:.1f}",
                )
        Console(markup=False).print(table)
        return 0


def _named(views: StoredViews, item: str) -> str:
    facts = views.item(item)
    return f"{item} {facts.title}" if facts and facts.title else item


def _strongest(messages: list[AssociationRules], top: int) -> list[AssociationRules]:
    """The strongest pairs by lift, one message each; a pair stands once, under its smaller id."""
    pairs = [
        (-rule.lift, message.scope, message.item_id, rule.item_id, message, rule)
        for message in messages
        for rule in message.rules
        if message.item_id < rule.item_id
    ]
    best = sorted(pairs, key=lambda pair: pair[:4])[:top]
    return [msgspec.structs.replace(message, rules=[rule]) for *_, message, rule in best]


@click.command()
@click.argument("user")
@answer_options
@pass_settings
def segment(settings: Settings, user: str, state: Path | None, as_json: bool) -> int:
    """Show a customer's segment and what the segment is like.

    With pseudonyms, USER is the plain id; the answer bears the pseudonym, as the topic does.
    """
    name = pseudonyms_of(settings.privacy).user(user)
    with stored_views(settings, state) as views:
        history, centroids = views.history(f"u:{name}"), views.centroids()
        if history is not None and centroids is None and not as_json:
            raise NotFoundError("there are no segments yet: they come with the first customers' events")
        if history is None or centroids is None or not history.behaviour.events:
            return unknown("customer", user, as_json=as_json)
        assigned = assign(centroids, features.vector(history.behaviour))
        if assigned is None:
            return unknown("customer", user, as_json=as_json)
        message = Segment(name, assigned[0], round(assigned[1], 6), history.last_at)
        if as_json:
            print_json(message)
            return 0
        table = Table("segment", "size", "frequency", "monetary", "categories", "items")
        for profile in views.profiles():
            mine = "→ " if profile.segment == message.segment else ""
            table.add_row(
                mine + profile.segment,
                str(profile.size),
                f"{profile.frequency:.1f}",
                f"{profile.monetary:.2f}",
                ", ".join(profile.top_categories),
                ", ".join(profile.top_items[:5]),
            )
        Console(markup=False).print(table)
        return 0
