"""The Helm chart, rendered by a real helm, against schemas of Kubernetes and of the operators.

No cluster is asked: that takes one.
"""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.config import load
from streams.rules_file import parse_rules
from tests.deploy.rules import ALERTS
from tests.markdown_pages import ROOT
from tests.tools.go import program

pytestmark = pytest.mark.slow

CHART = ROOT / "deploy" / "helm" / "freshrec"
KUBERNETES = "1.31"
EVERYTHING = (
    "monitoring.serviceMonitor=true",
    "monitoring.rules=true",
    "monitoring.dashboards=true",
    "monitoring.runbooks=https://example.org/operating",
    "autoscaling.enabled=true",
    "autoscaling.prometheus=http://prometheus:9090",
    "settings.snapshot.url=s3://bucket/folder",
    "serve.workerUrl=http://shop-freshrec-worker-0.shop-freshrec-worker:9108/metrics",
    "settings.ingest.max_value_bytes=10485760",
    "settings.recommend.diversity=0.25",
    "businessRules.configMap=rules-of-the-shop",
    "businessRules.key=of-today.toml",
    "secretEnv[0].name=FRESHREC_KAFKA__SASL_PASSWORD",
    "secretEnv[0].secretName=login",
    "secretEnv[0].key=password",
)
PLAIN: tuple[str, ...] = ()
ROLES = ("Deployment", "StatefulSet", "Job")
RULES_FILE = "FRESHREC_RECOMMEND__RULES_FILE"
every_way = pytest.mark.parametrize("values", [PLAIN, EVERYTHING], ids=["plain", "everything"])


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  # a command of our own
        [program("helm.sh/helm/v3/cmd/helm", "v3.19.5"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def template(values: tuple[str, ...], *more: str) -> "subprocess.CompletedProcess[str]":
    given = [word for value in values for word in ("--set-json" if "=0." in value else "--set", value)]
    return helm("template", "shop", str(CHART), "--kube-version", f"{KUBERNETES}.0", *given, *more)


@cache
def rendered(values: tuple[str, ...]) -> list[dict[str, Any]]:
    done = template(values)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def of_kind(kind: str, values: tuple[str, ...] = EVERYTHING) -> list[dict[str, Any]]:
    return [each for each in rendered(values) if each["kind"] == kind]


def pods(values: tuple[str, ...]) -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for kind in ROLES for each in of_kind(kind, values)]


def test_helm_has_nothing_against_the_chart() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


@every_way
def test_what_is_rendered_is_what_kubernetes_takes(values: tuple[str, ...]) -> None:
    import kubernetes_validate

    native = [each for each in rendered(values) if "." not in each["apiVersion"].split("/")[0]]
    native += of_kind("NetworkPolicy", values)
    assert len(native) >= 9
    for each in native:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_what_is_for_operators_is_what_they_take_and_nothing_is_lost() -> None:
    from cloudcoil.models.keda.v1alpha1 import ScaledObject
    from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

    models: dict[str, Any] = {
        "ScaledObject": ScaledObject,
        "ServiceMonitor": ServiceMonitor,
        "PrometheusRule": PrometheusRule,
    }
    found = [each for kind in models for each in of_kind(kind)]
    assert len(found) == 4
    for each in found:
        taken = models[each["kind"]].model_validate(each)
        assert taken.model_dump(by_alias=True, exclude_unset=True, mode="json") == each


def test_what_needs_an_operator_is_rendered_only_when_asked_for() -> None:
    kinds = {each["kind"] for each in rendered(PLAIN)}
    assert not kinds & {"ScaledObject", "ServiceMonitor", "PrometheusRule"}
    assert {"StatefulSet", "Deployment", "PodDisruptionBudget", "NetworkPolicy", "Job"} <= kinds


@every_way
def test_settings_are_those_that_freshrec_takes(values: tuple[str, ...], tmp_path: Path) -> None:
    (settings,) = [
        each for each in of_kind("ConfigMap", values) if each["metadata"]["name"].endswith("settings")
    ]
    file = tmp_path / "freshrec.toml"
    file.write_text(settings["data"]["freshrec.toml"])
    loaded = load(file, {}).settings
    assert (loaded.kafka.partitions, loaded.kafka.replication) == (32, 3)
    if values:
        assert (loaded.ingest.max_value_bytes, loaded.recommend.diversity) == (10_485_760, 0.25)


@every_way
def test_secrets_are_named_and_never_given(values: tuple[str, ...]) -> None:
    assert of_kind("Secret", values) == []
    environment = [each for pod in pods(values) for each in pod["containers"][0]["env"]]
    secret = [
        each for each in environment if any(word in each["name"] for word in ("TOKEN", "PASSWORD", "KEY"))
    ]
    assert len(secret) == (2 if values == PLAIN else 6)
    assert all("secretKeyRef" in each["valueFrom"] for each in secret)


@every_way
def test_pods_may_do_little(values: tuple[str, ...]) -> None:
    for pod in pods(values):
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_the_shops_rules_become_a_file_that_may_change_under_workers_and_servers(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "\\"off\\": {{ x }}"\naction = "exclude"\nitems = ["i1"]\n')
    found = _with_rules(rules)
    (made,) = [each for each in found if each["metadata"]["name"] == "shop-freshrec-rules"]
    assert made["data"] == {"rules.toml": rules.read_text()}
    assert parse_rules(made["data"]["rules.toml"], "rules.toml").rules[0].name == '"off": {{ x }}'
    pods = {each["kind"]: each["spec"]["template"] for each in found if each["kind"] in ROLES}
    assert {kind for kind, pod in pods.items() if _sees(pod["spec"], made)} == {"StatefulSet", "Deployment"}
    rules.write_text("")
    without = _with_rules(rules)
    assert len(without) == len(found) - 1
    assert "rules" not in {each["name"] for each in _workers(without)["spec"]["volumes"]}
    # Annotations are what starts pods anew: the text of the rules is in none.
    assert _workers(without)["metadata"] == _workers(found)["metadata"]


def _with_rules(file: Path) -> list[dict[str, Any]]:
    done = template((), "--set-file", f"businessRules.toml={file}")
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def _workers(found: list[dict[str, Any]]) -> dict[str, Any]:
    (workers,) = [each["spec"]["template"] for each in found if each["kind"] == "StatefulSet"]
    assert isinstance(workers, dict)
    return workers


def _sees(pod: dict[str, Any], rules: dict[str, Any]) -> bool:
    """Whether a pod is told of the file, and has it where it is told."""
    (container,) = pod["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}.get(RULES_FILE)
    volumes = [
        each["name"]
        for each in pod["volumes"]
        if each.get("configMap", {}).get("name") == rules["metadata"]["name"]
    ]
    mounts = [each for each in container["volumeMounts"] if each["name"] in volumes]
    assert len(mounts) == len(volumes) == (told is not None)
    assert not any("subPath" in each for each in mounts)
    return [f"{each['mountPath']}/{key}" for each in mounts for key in rules["data"]] == [told]


def test_rules_that_are_there_already_are_used_and_none_are_made() -> None:
    given = {"metadata": {"name": "rules-of-the-shop"}, "data": {"of-today.toml": ""}}
    for kind in ("StatefulSet", "Deployment"):
        (found,) = of_kind(kind)
        assert _sees(found["spec"]["template"]["spec"], given)
    assert not [each for each in of_kind("ConfigMap") if each["metadata"]["name"].endswith("-rules")]
    assert RULES_FILE not in str(rendered(PLAIN))


def policy(component: str, *values: str) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        each["metadata"]["labels"]["app.kubernetes.io/component"]: each["spec"]
        for each in of_kind("NetworkPolicy", values)
    }
    return found[component]


def test_the_server_may_ask_the_worker_that_it_is_told_of_and_has_its_token() -> None:
    (server,) = of_kind("Deployment")
    (container,) = server["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each for each in container["env"]}
    (workers,) = of_kind("StatefulSet")
    (worker,) = workers["spec"]["template"]["spec"]["containers"]
    assert environment["FRESHREC_METRICS__TOKEN"] in worker["env"]
    # As a pod of the set is called behind its headless service.
    name, service = workers["metadata"]["name"], workers["spec"]["serviceName"]
    url = environment["FRESHREC_SERVE__WORKER_URL"]["value"]
    assert url == f"http://{name}-0.{service}:{worker['ports'][0]['containerPort']}/metrics"
    assert "FRESHREC_METRICS__TOKEN" not in str(of_kind("Deployment", PLAIN))


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://worker-0.worker:9108/metrics", 9108),
        ("http://worker/metrics", 80),
        ("https://worker.example.org/metrics", 443),
        ("http://[fd00::8]:9108/metrics", 9108),
    ],
)
def test_the_network_lets_the_server_ask_there_and_nowhere_else(url: str, port: int) -> None:
    before, asking = policy("serve")["egress"], policy("serve", f"serve.workerUrl={url}")["egress"]
    assert [each for each in asking if each not in before] == [{"ports": [{"protocol": "TCP", "port": port}]}]


def test_a_worker_that_answers_named_scrapers_alone_answers_the_server_too() -> None:
    scrapers = "networkPolicy.scrapers[0].podSelector.matchLabels.app=prometheus"
    url = "serve.workerUrl=http://worker-0.worker:9108/metrics"
    (before,), (asked,) = policy("worker", scrapers)["ingress"], policy("worker", scrapers, url)["ingress"]
    assert [each for each in asked["from"] if each not in before["from"]] == [
        {"podSelector": policy("serve")["podSelector"]}
    ]
    assert policy("worker", url)["ingress"] == policy("worker")["ingress"]


def test_rules_are_all_there_with_links_that_lead_where_they_shall() -> None:
    (found,) = of_kind("PrometheusRule")
    alerts = [rule for group in found["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in alerts}
    assert links == {each.name: f"https://example.org/operating#{each.name.lower()}" for each in ALERTS}


def test_workers_are_scaled_by_keda_alone_and_not_beyond_their_partitions() -> None:
    (workers,) = of_kind("StatefulSet")
    assert "replicas" not in workers["spec"]
    few = rendered((*EVERYTHING, "settings.kafka.partitions=3"))
    (scaled,) = [each for each in few if each["kind"] == "ScaledObject"]
    assert scaled["spec"]["maxReplicaCount"] == 3
    assert scaled["spec"]["scaleTargetRef"]["name"] == workers["metadata"]["name"]


@pytest.mark.parametrize(
    "wrong",
    [
        "worker.replicas=0",
        "worker.replica=2",
        "settings.kafka.sasl_password=hunter2",
        "settings.metrics.port=1",
        "worker.storage.size=much",
        "serve.workerUrl=worker:9108",
        "serve.workerUrl=http://name:word@worker:9108/metrics",
        "secretEnv[0].value=hunter2",
        "autoscaling.enabled=true",
        "businessRules.toml=a,businessRules.configMap=b",
        "businessRules.key=../rules.toml",
    ],
)
def test_values_that_cannot_be_meant_are_refused(wrong: str) -> None:
    done = template((wrong,))
    assert done.returncode != 0
    assert wrong.partition(".")[0].partition("[")[0] in done.stderr
