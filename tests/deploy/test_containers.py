"""What docker-compose.yml and the Dockerfile say is so: settings, commands, files, ports, no secrets.

No container is started: that takes a Docker daemon.
"""

import re
from typing import Any

import click
import pytest
import yaml

from streams.cli import freshrec
from streams.config import load
from streams.settings_fields import FIELDS
from tests.markdown_pages import ROOT
from tests.test_wheel import PACKAGES

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
THREE: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "three-brokers.yml").read_text())[
    "services"
]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("freshrec:")]
COMMANDS = set(freshrec.list_commands(click.Context(freshrec)))

every_own = pytest.mark.parametrize("name", OURS)


def settings_given(name: str) -> dict[str, str]:
    """Variables of a service; of sections that this version has, and with secrets made up."""
    given = {**SERVICES[name]["environment"], **THREE.get(name, {}).get("environment", {})}
    sections = {key.split(".")[0].upper() for key in FIELDS}
    return {key: interpolated(str(value)) for key, value in given.items() if key.split("_")[1] in sections}


def interpolated(value: str) -> str:
    """A value as compose has it: defaults where there are some, else something made up."""
    return re.sub(r"\$\{\w+(?::-(.*?)|:\?.*)\}", lambda found: found[1] or "0" * 64, value)


def test_the_whole_set_is_there() -> None:
    assert {"kafka", "topics", "worker", "serve", "simulator", "prometheus", "grafana"} == set(SERVICES)
    assert {"topics", "worker", "serve", "simulator"} == set(OURS)
    assert {"kafka", "kafka-2", "kafka-3"} == set(THREE) - set(OURS)


@every_own
def test_a_service_has_settings_that_freshrec_takes(name: str) -> None:
    loaded = load(environ=settings_given(name)).settings
    assert loaded.kafka.bootstrap_servers == "kafka:19092,kafka-2:19092,kafka-3:19092"
    assert loaded.kafka.replication == 3


@every_own
def test_a_service_calls_a_command_that_exists(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *options = map(interpolated, SERVICES[name]["command"])
    assert command in {*COMMANDS, "serve"}
    if command in COMMANDS:
        freshrec.main([command, *options, "--help"], prog_name="freshrec", standalone_mode=False)
        assert capsys.readouterr().out.startswith(f"Usage: freshrec {command}")


def test_ports_are_published_on_this_machine_alone() -> None:
    ports = [port for each in (SERVICES, THREE) for s in each.values() for port in s.get("ports", ())]
    assert len(ports) >= 6
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_what_is_mounted_is_there() -> None:
    volumes = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    paths = [volume for volume in volumes if volume.startswith("./")]
    assert len(paths) == 4
    assert [path for path in paths if not (ROOT / path).exists()] == []
    named = set(yaml.safe_load(COMPOSE.read_text())["volumes"])
    assert {volume for volume in volumes if not volume.startswith("./")} == named


def test_no_secret_stands_in_a_file() -> None:
    secrets = {
        key: value
        for service in SERVICES.values()
        for key, value in service.get("environment", {}).items()
        if re.search("TOKEN|PASSWORD|KEY", key)
    }
    assert len(secrets) == 3
    assert all(re.fullmatch(r"\$\{\w+:\?export .+\}", value) for value in secrets.values())
    given = yaml.safe_load(COMPOSE.read_text())["secrets"]
    assert {name: list(source) for name, source in given.items()} == {
        "metrics_token": ["environment"],
        "api_token": ["environment"],
    }


@every_own
def test_a_container_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_prometheus_scrapes_what_the_rules_know_where_the_services_listen() -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    places = {job["job_name"]: (s["names"], s["port"]) for job in jobs for s in job["dns_sd_configs"]}
    ports = {
        name: next(
            value
            for key, value in SERVICES[name]["environment"].items()
            if re.search("(METRICS|SERVE)__PORT", key)
        )
        for name in ("worker", "serve")
    }
    assert places == {f"freshrec-{name}": ([name], port) for name, port in ports.items()}


def test_the_image_is_built_from_what_the_wheel_needs_and_sees_nothing_else() -> None:
    copied = {word for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M) for word in line.split()}
    assert copied == {"pyproject.toml", "README.md", "LICENSE", *PACKAGES}
    assert all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied


def test_the_image_runs_as_nobody_in_particular_with_a_pinned_python() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) == ["python:3.11.13-slim-bookworm"] * 2
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.M) == ["10001:10001"]
    assert "/health/live" in re.findall(r"HEALTHCHECK.*\\\n.*", DOCKERFILE)[0]


def test_images_are_pinned() -> None:
    text = COMPOSE.read_text() + (ROOT / "deploy" / "three-brokers.yml").read_text()
    images = set(re.findall(r"image: (\S+)", text))
    assert len(images) == 4
    assert all(re.search(r":v?\d+\.\d+\.\d+$", image) for image in images)
