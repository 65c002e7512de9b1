"""What is deployed past one machine: an image of hashed packages alone, and pods that may change nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from khaos_swap_assets.adapters.store.queues import _QUEUES, Queue
from khaos_swap_assets.gateway import metrics

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
HASHED = {"--require-hashes"}
OURS = {"--no-deps", "--no-index", "--no-build-isolation"}
POD = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def instructions() -> list[tuple[str, list[str]]]:
    """Each instruction of the Dockerfile with its words."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line[0], line[1:]) for line in lines]


def words(name: str) -> list[list[str]]:
    return [found for instruction, found in instructions() if instruction == name]


def test_the_base_is_named_by_a_digest_that_the_builder_must_give() -> None:
    assert instructions()[0] == ("ARG", ["BASE_DIGEST"])
    bases = words("FROM")
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim@\$\{BASE_DIGEST\}", base[0]) for base in bases)


def test_nothing_is_installed_but_by_hash_and_our_own_source() -> None:
    runs = [" ".join(run).split("&&") for run in words("RUN")]
    installs = [set(command.split()) for run in runs for command in run if " install " in command]
    assert len(installs) == 2
    assert all(install >= HASHED or install >= OURS for install in installs)
    files = {word for install in installs for word in install if word.endswith(".txt")}
    assert files == {"requirements/build.txt", "requirements/image.txt"}
    assert not any(tool in " ".join(run) for run in runs for tool in ("apt-get", "curl", "wget"))


def test_it_runs_as_nobody_in_particular() -> None:
    assert instructions()[-1] == ("USER", ["10001:10001"])


def test_only_what_runs_gets_into_the_image() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {source for copy in words("COPY") if not copy[0].startswith("--from") for source in copy[:-1]}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in allowed)
    assert set(lines) - {f"!{name}" for name in allowed} == {"*", "**/__pycache__"}


KUBERNETES = "1.31"
FILES = ("gateway.yaml", "ui.yaml", "migrate.yaml")


def manifests() -> list[dict[str, Any]]:
    """Everything that is applied beside the chart."""
    return [one for file in FILES for one in yaml.safe_load_all((DEPLOY / file).read_text())]


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_a_manifest_is_what_kubernetes_reads(manifest: dict[str, Any]) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_a_word_that_kubernetes_does_not_know_would_be_found() -> None:
    import kubernetes_validate

    wrong = {**manifests()[0], "spec": {**manifests()[0]["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one["spec"] for one in manifests() if one["kind"] == kind}


def test_the_gateway_survives_a_drained_node_and_grows_with_its_load() -> None:
    labels = of_kind("Deployment")["khaos-swap-gateway"]["selector"]["matchLabels"]
    budget, scale = of_kind("PodDisruptionBudget")["khaos-swap-gateway"], of_kind("HorizontalPodAutoscaler")
    assert budget["selector"]["matchLabels"] == labels
    assert scale["khaos-swap-gateway"]["minReplicas"] > budget["minAvailable"] >= 1
    assert scale["khaos-swap-gateway"]["scaleTargetRef"]["name"] in of_kind("Deployment")


def test_nobody_reaches_a_page_of_dagster_over_the_network() -> None:
    closed = [one["podSelector"]["matchLabels"] for one in of_kind("NetworkPolicy").values() if "ingress" not in one]
    assert closed == [
        of_kind("Deployment")["khaos-swap-ui"]["selector"]["matchLabels"],
        {"component": "dagster-webserver"},
    ]
    assert all("Ingress" in one["policyTypes"] for one in of_kind("NetworkPolicy").values())


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda found: found.group(1).upper(), name)


def test_the_chart_is_told_what_one_machine_is_told() -> None:
    here = yaml.safe_load((ROOT / "khaos_swap_assets/dagster.yaml").read_text())
    chart = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    daemon, instance = chart["dagsterDaemon"], chart["additionalInstanceConfig"]
    kept = {_camel(what): {"purgeAfterDays": one["purge_after_days"]} for what, one in here["retention"].items()}
    told = {
        "run_queue": {
            "dequeue_interval_seconds": daemon["runCoordinator"]["config"]["queuedRunCoordinator"][
                "dequeueIntervalSeconds"
            ]
        },
        "concurrency": {
            "runs": {"max_concurrent_runs": chart["concurrency"]["runs"]["maxConcurrentRuns"]},
            "pools": {
                "granularity": chart["concurrency"]["pools"]["granularity"],
                "default_limit": chart["concurrency"]["pools"]["defaultLimit"],
            },
        },
        "run_retries": daemon["runRetries"],
        "telemetry": chart["telemetry"],
        **instance,
    }
    assert {_camel(name): value for name, value in here["run_monitoring"].items()} == daemon["runMonitoring"]
    assert chart["retention"] == {"enabled": True, **kept}
    assert told == {
        name: value for name, value in here.items() if name not in {"storage", "run_monitoring", "retention"}
    }


def pods() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, pod's and container's part of all that runs our image."""
    for file in FILES:
        deployment = next(yaml.safe_load_all((DEPLOY / file).read_text()))
        spec = deployment["spec"]["template"]["spec"]
        for container in spec["containers"]:
            yield file, spec, container
    chart = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    (code,) = chart["dagster-user-deployments"]["deployments"]
    yield "code location", {**code, "securityContext": code["podSecurityContext"]}, code
    daemon = chart["dagsterDaemon"]
    yield "daemon", {**daemon, "securityContext": daemon["podSecurityContext"]}, daemon
    runs = chart["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    yield "runs", runs["podSpecConfig"], runs["containerConfig"]


@pytest.mark.parametrize(("name", "pod", "container"), list(pods()), ids=[name for name, _, _ in pods()])
def test_a_pod_is_nobody_and_cannot_change_its_root(name: str, pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert pod["securityContext"] == POD, name
    assert container["securityContext"] == CONTAINER, name
    if name != "runs":  # they take the folders of the code location
        assert {"name": "tmp", "emptyDir": {}} in pod["volumes"], name
        assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"], name


@pytest.mark.parametrize(("name", "pod", "container"), list(pods()), ids=[name for name, _, _ in pods()])
def test_a_pod_asks_for_what_it_needs_and_its_memory_has_an_end(
    name: str, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}, (name, pod)
    assert container["resources"]["limits"].keys() == {"memory"}, "to be slow is better than to be throttled"


def test_all_that_the_chart_starts_is_one_image() -> None:
    chart = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    (code,) = chart["dagster-user-deployments"]["deployments"]
    assert chart["dagsterDaemon"]["image"] == code["image"]
    image = f"{code['image']['repository']}:{code['image']['tag']}"
    assert {container["image"] for name, _, container in pods() if name in FILES} == {image}


def test_the_gateway_is_asked_whether_it_lives_and_whether_it_can_work() -> None:
    (container,) = of_kind("Deployment")["khaos-swap-gateway"]["template"]["spec"]["containers"]
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_files_of_settings_are_mounted_where_they_are_read() -> None:
    for name, pod, container in pods():
        if name not in ("runs", "daemon"):
            assert {"name": "files", "configMap": {"name": "khaos-swap-files", "optional": True}} in pod["volumes"], (
                name
            )
            assert {"name": "files", "mountPath": "/etc/khaos-swap", "readOnly": True} in container["volumeMounts"], (
                name
            )


SCHEMA = "DAGSTER_CHART_SCHEMA"
TYPES: dict[str, type] = {
    "integer": int,
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
    "number": float,
}


def strange(values: object, schema: dict[str, Any], whole: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where values hold a name that the chart does not know, or what is no value of it; its defaults fill the rest."""
    told = {name: part for name, part in schema.items() if name not in ("required", "$ref")}
    if (ref := schema.get("$ref", "")).startswith("#/"):
        told |= whole["definitions"][ref.rpartition("/")[2]]
    known = told.get("properties", {})
    if isinstance(values, dict) and known:
        for name, part in values.items():
            if name in known:
                yield from strange(part, known[name], whole, f"{at}.{name}")
            else:
                yield f"{at}.{name} is not known"
    elif isinstance(values, list) and "items" in told:
        for number, part in enumerate(values):
            yield from strange(part, told["items"], whole, f"{at}[{number}]")
    elif "type" in told and not isinstance(values, TYPES[told["type"]]):
        yield f"{at} is no {told['type']}"


def test_a_name_that_a_chart_does_not_know_is_found() -> None:
    ports = {"type": "array", "items": {"type": "integer"}}
    pod = {"type": "object", "properties": {"size": {"type": "integer"}, "ports": ports}}
    chart = {"type": "object", "properties": {"pod": {"$ref": "#/definitions/Pod"}}, "definitions": {"Pod": pod}}
    assert list(strange({"pod": {"size": 1, "ports": [1]}}, chart, chart)) == []
    wrong = list(strange({"pod": {"size": "L", "ports": ["a"], "colour": "red"}}, chart, chart))
    assert wrong == [".pod.size is no integer", ".pod.ports[0] is no integer", ".pod.colour is not known"]


@pytest.mark.skipif(SCHEMA not in os.environ, reason=f"{SCHEMA} names no values.schema.json of the chart")
def test_the_values_are_what_the_chart_reads() -> None:
    schema = json.loads(Path(os.environ[SCHEMA]).read_text())
    chart = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    assert list(strange(chart, schema, schema)) == []


def test_the_ui_without_a_guard_is_not_started() -> None:
    chart = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    assert chart["dagsterWebserver"]["replicaCount"] == 0
    (container,) = of_kind("Deployment")["khaos-swap-ui"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "khaos_swap_assets.ui"]
    assert {"name": "KHAOS_SWAP_WEBSERVER_HOST", "value": "127.0.0.1"} in container["env"]
    assert "ports" not in container


def asked() -> list[str]:
    """Every expression of the alert rules and of the dashboard."""
    rules = yaml.safe_load((DEPLOY / "monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "monitoring/dashboard.json").read_text())["panels"]
    return [rule["expr"] for rule in rules] + [target["expr"] for panel in panels for target in panel["targets"]]


def test_alerts_and_dashboard_ask_for_what_the_gateway_tells() -> None:
    metrics.observe({"method": "GET"}, 200, 0.1)
    queues = [Queue(name, "", 1, 1, 1, 1) for name, *_ in _QUEUES]
    told = metrics.page(queues, {"signature": 1}, is_database_up=True, feed=(), sizes={"logs": 1}).decode()
    names = set(re.findall(r"^(khaos_swap_\w+)", told, re.MULTILINE))
    for expression in asked():
        assert set(re.findall(r"khaos_swap_\w+", expression)) <= names, expression
        labels = re.findall(r'queue=~?"([^"]+)"', expression)
        assert {name for label in labels for name in label.split("|")} <= {one.name for one in queues}, expression


def test_every_alert_says_what_happened_and_what_to_do() -> None:
    rules = yaml.safe_load((DEPLOY / "monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert min(len(rule["annotations"][word]) for word in ("summary", "description")) > 20, rule["alert"]
