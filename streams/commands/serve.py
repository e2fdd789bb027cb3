"""`freshrec serve`: answer over HTTP."""

import sys

import click
import uvloop

from schemas.settings import Settings
from streams.cluster import topic_specs
from streams.commands.context import pass_settings
from streams.errors import BrokerError
from streams.metrics_access import api_token
from streams.pseudonyms import pseudonyms_of
from streams.rules_file import RulesFile
from streams.serving.process import serve as run
from streams.topics import check_topics
from streams.topology import SERVE

THREAD_SWITCH_S = 0.001


@click.command()
@pass_settings
def serve(settings: Settings) -> int:
    """Answer over HTTP until stopped (SIGTERM or Ctrl-C), from the topics that workers write.

    A process of its own: it needs Kafka and a folder, no worker beside it, and any number of it may run.
    The page of the shop is at /, the paths are at /docs.
    """
    # What is wrong with a secret, or with the file of rules, is said before anything is opened.
    api_token(settings.serve)
    pseudonyms_of(settings.privacy)
    RulesFile(settings.recommend.rules_file)
    used = (*SERVE.follows, *SERVE.remembers, *SERVE.shows, *SERVE.writes)
    names = {settings.kafka.topic_prefix + name for name in used}
    specs = [spec for spec in topic_specs(settings.kafka) if spec.name in names]
    problems = check_topics(settings.kafka, specs)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BrokerError(f"{problems[0]}{more}; `freshrec topics create` makes what is missing")
    sys.setswitchinterval(THREAD_SWITCH_S)
    return uvloop.run(run(settings))
