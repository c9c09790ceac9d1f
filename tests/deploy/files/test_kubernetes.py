"""The manifests for Kubernetes are valid, bounded in their rights, and give each service what it needs."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from casebus_deploy.cli.settings_file import known_settings, read_settings
from casebus_deploy.stack.keys import SIGNERS
from casebus_producers.config import read_connection
from casebus_schemas.catalogue.services import services
from casebus_services.config import ServiceSettings

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "kubernetes"
VERSIONS = ("1.31", "1.37")
"""The oldest and the newest Kubernetes against whose schemas the manifests are held."""
OF_OPERATORS = {
    "KafkaNodePool": "kafka.strimzi.io/v1beta2",
    "Kafka": "kafka.strimzi.io/v1beta2",
    "KafkaUser": "kafka.strimzi.io/v1beta2",
    "Cluster": "postgresql.cnpg.io/v1",
    "PodMonitor": "monitoring.coreos.com/v1",
}


def manifests(part: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What `kubectl apply -k` applies of a folder: the documents of its resources."""
    listed = yaml.safe_load((FOLDER / part / "kustomization.yaml").read_text())
    files = {file.name for file in (FOLDER / part).glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed["resources"]) == files
    for name in listed["resources"]:
        for one in yaml.safe_load_all((FOLDER / part / name).read_text()):
            yield f"{part}/{name} {one['kind']} {one['metadata']['name']}", one


ALL = [*manifests("base"), *manifests("agency")]
WORKLOADS = [(where, one) for where, one in ALL if one["kind"] == "StatefulSet"]


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers of a workload, those that come first among them."""
    spec = workload["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.mark.parametrize(("where", "one"), ALL, ids=[where for where, _ in ALL])
def test_a_manifest_is_valid(where: str, one: dict[str, Any]) -> None:
    """Each manifest is one of Kubernetes, without a field that it does not know."""
    for version in VERSIONS:
        kubernetes_validate.validate(one, version, strict=True)


def test_a_slip_in_a_manifest_is_seen() -> None:
    """A field that does not exist fails the test above."""
    _, one = WORKLOADS[0]
    wrong = {**one, "spec": {**one["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize(("where", "one"), WORKLOADS, ids=[where for where, _ in WORKLOADS])
def test_a_service_has_no_more_rights_than_it_needs(where: str, one: dict[str, Any]) -> None:
    """Not root, a root file system that nobody writes, no capability, no token, bounded memory."""
    pod = one["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(one):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        names = {mount["name"] for mount in container["volumeMounts"]}
        claims = {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", ())}
        assert names <= {volume["name"] for volume in pod["volumes"]} | claims
    (main,) = pod["containers"]
    assert main["livenessProbe"]["exec"]["command"][:2] == ["casebus", "alive"]
    assert main["startupProbe"]["exec"]["command"] == main["livenessProbe"]["exec"]["command"]


def settings_of(part: str, service: str, folder: Path) -> dict[str, str]:
    """The variables that the settings file of a folder gives a service."""
    (found,) = [one for _, one in ALL if one["kind"] == "ConfigMap" and part in one["metadata"]["name"]]
    file = folder / "casebus.toml"
    file.write_text(found["data"]["casebus.toml"])
    return read_settings(file, service)


def files_of(pod: dict[str, Any]) -> set[str]:
    """The files that a workload's container finds of its secrets and settings."""
    volumes = {one["name"]: one for one in pod["volumes"]}
    copied = volumes.get("secrets", {}).get("secret", {}).get("items", ())
    found = set()
    for mount in pod["containers"][0]["volumeMounts"]:
        volume = volumes.get(mount["name"], {})
        items = copied if mount["name"] == "own" else volume.get("secret", {}).get("items", ())
        found |= {f"{mount['mountPath']}/{item['path']}" for item in items}
        if volume.get("configMap", {}).get("name") == "casebus-policy":
            found.add(f"{mount['mountPath']}/policy")
    return found


WORKERS = [name for name, one in services().items() if one.form == "worker"]


@pytest.mark.parametrize("service", WORKERS)
def test_a_worker_gets_all_that_it_needs(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings file, variables and mounted secrets together are the settings of the service."""
    (one,) = [one for _, one in WORKLOADS if one["metadata"]["name"] == f"casebus-{service}"]
    pod = one["spec"]["template"]["spec"]
    (main,) = pod["containers"]
    assert main["args"] == ["run", service]
    variables = {env["name"]: env.get("value", f"casebus-{service}-0") for env in main["env"]}
    assert variables.keys() - known_settings() == {"CASEBUS_SETTINGS_FILE"}
    for name in known_settings():
        monkeypatch.delenv(name, raising=False)
    given = settings_of("casebus-settings", service, tmp_path) | variables
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    read = ServiceSettings.from_environment()
    assert read.security_protocol == "SASL_SSL"
    wanted = {str(read.sasl_password_file), str(read.ca_file)}
    wanted |= {str(file) for file in (read.signing_key_file, read.log_key_file, read.policy_file) if file}
    assert wanted == files_of(pod)
    assert (read.signing_key_file is not None) == (service in SIGNERS)
    assert (read.ledger_url is not None) == (service in ("ledger", "sealer"))
    assert (read.accounts_url is not None) == (service == "reconciler")


def test_every_service_of_a_bus_is_there() -> None:
    """What needs no supervisor's files runs on Kubernetes: all but the status page of `casebus up`."""
    found = {one["metadata"]["name"].removeprefix("casebus-") for _, one in WORKLOADS}
    assert found == set(services()) - {"page", "desk"}


def test_the_registry_is_reached_by_its_name(tmp_path: Path) -> None:
    """It listens on every address of its pod and answers for the name of its service."""
    file = tmp_path / "registry.json"
    (found,) = [one for _, one in ALL if one["metadata"]["name"] == "casebus-settings"]
    file.write_text(found["data"]["registry.json"])
    connection = read_connection(file)
    assert connection is not None
    assert connection.registry_url is not None
    settings = settings_of("casebus-settings", "registry", tmp_path)
    assert settings["CASEBUS_LISTEN"] == "0.0.0.0"
    host = re.split("[/:]+", connection.registry_url)[1]
    assert host in settings["CASEBUS_WEB_HOSTS"].split(",")


def test_metrics_are_scraped_from_a_port_that_is_open() -> None:
    """The port of the settings is that of the pods, the services and the network's rule."""
    for name in ("casebus-settings", "casebus-agency-settings"):
        (found,) = [one for _, one in ALL if one["metadata"]["name"] == name]
        assert tomllib.loads(found["data"]["casebus.toml"])["metrics_address"] == "0.0.0.0:9464"
    for _, one in WORKLOADS:
        (main,) = one["spec"]["template"]["spec"]["containers"]
        assert {"name": "metrics", "containerPort": 9464} in main["ports"]


def test_neighbours_are_of_their_operators() -> None:
    """The examples are resources of the operators that the page names."""
    found = {}
    for file in (FOLDER / "neighbours").glob("*.yaml"):
        for one in yaml.safe_load_all(file.read_text()):
            found[one["kind"]] = one["apiVersion"]
    assert found == OF_OPERATORS
