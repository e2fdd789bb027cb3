"""The command `freshrec`: names of sub-commands, and how errors become exit codes.

A sub-command's module is imported only when it is used, so that `--help` answers at once. Exit codes:
0 done, 1 failed, 2 wrong usage, 3 not found, 130 interrupted.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from streams.errors import FreshrecError, NotFoundError

FAILED, NOT_FOUND, INTERRUPTED = 1, 3, 130

COMMANDS = {
    "kafka": ("streams.commands.kafka:kafka", "Start, stop and inspect a local Kafka."),
    "topics": ("streams.commands.topics:topics", "Create and list the topics of the topology."),
    "worker": ("streams.commands.worker:worker", "Run the stages."),
    "serve": ("streams.commands.serve:serve", "Answer over HTTP."),
    "simulate": ("streams.commands.simulate:simulate", "Produce the events of a synthetic storefront."),
    "produce": ("streams.commands.produce:produce", "Send a file to the public topics."),
    "replay": ("streams.commands.replay:replay", "Run a file through the topology without a broker."),
    "recommend": ("streams.commands.answers:recommend", "Show a customer's recommendations."),
    "similar": ("streams.commands.answers:similar", "Show the items most similar to one."),
    "rules": ("streams.commands.answers:rules", "Show association rules."),
    "predict": ("streams.commands.predict:predict", "Predict what comes of a customer's session."),
    "segment": ("streams.commands.answers:segment", "Show a customer's segment."),
    "profile": ("streams.commands.profile:profile", "Show all that is known of a customer."),
    "analyse": ("streams.commands.analyse:analyse", "Show what a shop's customers are like."),
    "experiments": ("streams.commands.experiments:experiments", "Compare the variants of experiments."),
    "pseudonym": ("streams.commands.pseudonym:pseudonym", "Print under which id a customer is known."),
    "forget": ("streams.commands.forget:forget", "Ask that customers be forgotten."),
    "rejected": ("streams.commands.rejected:rejected", "Show what was refused, and why."),
    "snapshot": ("streams.commands.snapshot:snapshot", "Take, verify and restore snapshots of the state."),
    "topology": ("streams.commands.topology:topology", "Draw topics and stages."),
    "business-rules": (
        "streams.commands.business_rules:business_rules",
        "Check a file of the shop's own rules.",
    ),
    "config": ("streams.commands.config:config", "Show the effective settings and where each came from."),
    "state": ("streams.commands.state:state", "Prove what the stores count."),
    "reset": ("streams.commands.reset:reset", "Begin a stage anew, with all below it."),
    "migrate": ("streams.commands.migrate:migrate", "Go on under other learning settings."),
    "doctor": ("streams.commands.doctor:doctor", "Find out why nothing comes out."),
    "demo": ("streams.commands.demo:demo", "Watch recommendations change, from an empty machine."),
    "verify-rules": ("streams.commands.verify_rules:verify_rules", "Compare rules with a batch count."),
    "evaluate": ("streams.commands.evaluate:evaluate", "Measure how good recommendations are."),
    "bench": ("streams.commands.bench:bench", "Measure throughput and latency."),
}
"""Where each sub-command is (`module:object`) and its line in `freshrec --help`, in the order shown."""


class LazyGroup(click.Group):
    """A group that imports a sub-command when it is called, and lists them without importing any."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settings file; by default FRESHREC_CONFIG, or freshrec.toml in the working directory.",
)
@click.version_option(package_name="freshrec", prog_name="freshrec", message="%(prog)s %(version)s")
@click.pass_context
def freshrec(ctx: click.Context, config_file: Path | None) -> None:
    """Recommendations that are refreshed with every event: Kafka in, Kafka out."""
    ctx.obj = config_file


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors go to stderr."""
    try:
        result = freshrec.main(list(arguments), prog_name="freshrec", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except FreshrecError as error:
        click.echo(f"freshrec: {error}", err=True)
        return NOT_FOUND if isinstance(error, NotFoundError) else FAILED
    return result if isinstance(result, int) else 0


def main() -> None:
    """Entry point of the command `freshrec`."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
