"""`freshrec worker`: run the stages on Kafka."""

import asyncio

import click

from schemas.settings import Settings
from streams.cluster import topic_specs
from streams.commands.context import pass_settings
from streams.errors import BrokerError
from streams.pseudonyms import pseudonyms_of
from streams.rules_file import RulesFile
from streams.snapshots.library import open_library
from streams.supervisor import Supervisor
from streams.topics import check_topics
from streams.topology import STAGE_BY_NAME


def _stages(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    if value is None:
        return tuple(STAGE_BY_NAME)
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    unknown = [name for name in names if name not in STAGE_BY_NAME]
    if unknown or not names:
        raise click.BadParameter(f"{value!r}; expected some of {', '.join(STAGE_BY_NAME)}, comma separated")
    return names


@click.command()
@click.option("--stages", callback=_stages, help="Which stages, comma separated; all by default.")
@pass_settings
def worker(settings: Settings, stages: tuple[str, ...]) -> int:
    """Run the stages on Kafka until stopped (SIGTERM or Ctrl-C)."""
    if settings.snapshot.url:
        # What is wrong with the URL or the key is said here, once, not by every process again and again.
        open_library(settings)
    # A key, or a file of rules, that cannot be used ends the command here, before any process starts.
    pseudonyms_of(settings.privacy)
    if "history" in stages:
        RulesFile(settings.recommend.rules_file)
    problems = check_topics(settings.kafka, topic_specs(settings.kafka))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BrokerError(f"{problems[0]}{more}; `freshrec topics create` makes what is missing")
    return asyncio.run(Supervisor(settings, stages).run())
