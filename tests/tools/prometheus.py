"""A real Prometheus beside a test: on a free port of the loopback interface, asked over HTTP, then ended."""

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.worker_process import until
from tests.tools.debian import program

STOP_S = 30.0


class Prometheus:
    """What is asked of it."""

    def __init__(self, port: int) -> None:
        self._port = port

    def _get(self, path: str, **parameters: str) -> Any:
        asked = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}?{asked}", timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Series that an expression gives now.

        Raises
        ------
        AssertionError
            Prometheus does not understand it.
        """
        answer = self._get("/api/v1/query", query=expression)
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Every rule as it was evaluated last."""
        return [rule for group in self._get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]

    def alerting(self) -> set[str]:
        """Names of alerts whose condition holds now, however long already."""
        return {alert["labels"]["alertname"] for alert in self._get("/api/v1/alerts")["data"]["alerts"]}


@contextmanager
def running(folder: Path, *, worker: str, server: str, token: str, rules: Path) -> Iterator[Prometheus]:
    """Scrape a worker and a server every two seconds, by the names that the rules know.

    A worker waits for a second for a process that does not answer: a scrape has to wait longer.
    """
    shutil.copytree(rules, folder / "rules")
    (folder / "token").write_text(token)
    jobs = [
        {
            "job_name": name,
            "authorization": {"credentials_file": str(folder / "token")},
            "static_configs": [{"targets": [target]}],
        }
        for name, target in (("freshrec-worker", worker), ("freshrec-serve", server))
    ]
    every = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
    config = {"global": every, "rule_files": ["rules/*.yml"], "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(program("prometheus", "prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603  # as above
    asked = Prometheus(port)
    try:
        until(asked.ready, "a Prometheus that answers")
        yield asked
    finally:
        process.terminate()
        process.wait(STOP_S)
