"""The shop that the fault tests watch, and how one stage's whole topology is run on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from online_models.worlds import PRESETS, StorefrontSettings
from streams.topology import STAGES, TOPIC_BY_NAME, partitions_of
from tests.integration.shop_topics import ShopTopics
from tests.integration.worker_process import WorkerProcess, environment, settings_of

EXACT = {"RULES__HALF_LIFE_S": 0, "POPULARITY__HALF_LIFE_S": 0, "KAFKA__PARTITIONS": 2}
"""Without decay every count is an integer that a plain recount can name."""


def kept_stores(partitions: int) -> list[tuple[str, int]]:
    """Stage and partition of each store that a worker has."""
    return [
        (stage.name, each)
        for stage in STAGES
        if stage.keeps
        for each in range(partitions_of(TOPIC_BY_NAME[stage.reads[0]], partitions))
    ]


def a_shop(seed: int, **others: Any) -> StorefrontSettings:
    """Late and repeated events; every customer allows profiling, so that a recount knows what counts."""
    quiet = {"customers": 60, "items": 60, "consent_share": 1.0, "bad_share": 0.0, "seed": seed}
    shares = {"duplicate_share": 0.05, "late_share": 0.05}
    return msgspec.structs.replace(PRESETS["demo"], **{**quiet, **shares, **others})


class Shop:
    """Topics of their own, and workers that share one state directory."""

    def __init__(self, topics: ShopTopics, variables: dict[str, str], folder: Path) -> None:
        self.topics, self.variables, self._folder = topics, variables, folder
        self.workers: list[WorkerProcess] = []

    def worker(
        self, *, stages: str | None = None, module: str = "streams.cli", state: Path | None = None
    ) -> WorkerProcess:
        """One more worker, started; with a disk of its own if `state` names one."""
        log = self._folder / f"worker-{len(self.workers)}.log"
        own = {} if state is None else {"FRESHREC_STATE__DIR": str(state)}
        variables = self.variables | own
        self.workers.append(WorkerProcess(variables, log, stages=stages, module=module).start())
        return self.workers[-1]

    def server(self, **settings: object) -> WorkerProcess:
        """One more server of the API, started, beside the workers; `settings` are like SERVE__MAX_K=2."""
        log = self._folder / f"server-{len(self.workers)}.log"
        variables = self.variables | {f"FRESHREC_{name}": str(value) for name, value in settings.items()}
        self.workers.append(WorkerProcess(variables, log, command="serve").start())
        return self.workers[-1]

    def command(self, *arguments: str, module: str = "streams.cli") -> "subprocess.CompletedProcess[str]":
        """Run `freshrec` with the workers' settings, to its end."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("FRESHREC_")}
        return subprocess.run(  # noqa: S603  # our own command
            [sys.executable, "-m", module, *arguments],
            env={**others, **self.variables, "COLUMNS": "200"},
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def a_topology(kafka: str, prefix: str, folder: Path, **settings: object) -> Iterator[Shop]:
    """Topics, and at the end no worker that still runs."""
    variables = environment(kafka, prefix, folder / "state", **{**EXACT, **settings})
    with ShopTopics(settings_of(variables)) as topics:
        shop = Shop(topics, variables, folder)
        try:
            yield shop
        finally:
            for worker in shop.workers:
                worker.kill()
