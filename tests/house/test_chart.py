"""The Helm chart renders to what Kubernetes takes, and refuses values that could not work.

Linter and renderer are Helm's own code, the manifests' schemas are Kubernetes' own. No cluster has
seen them.
"""

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from server.settings import Settings
from server.work.supervisor import GRACE
from tests.house.chart import CHART, Rendering, Values, render
from tests.house.commands import is_command
from tests.house.tools import run

KUBERNETES = ("1.29", "1.37")
"""The oldest that the chart names, and the newest whose schemas are at hand."""

BASE: Values = {"publicUrl": "https://pictures.example.com"}
GOOD: dict[str, Values] = {
    "plain": BASE,
    "bucket": {
        **BASE,
        "bucket": {"address": "s3://pictures/x", "endpoint": "http://s3:9000", "secret": "s3"},
        "settings": {"retention": "75000000", "allow_hosts": '["10.0.0.0/8"]'},
    },
    "preview": {**BASE, "engine": "preview", "drain": 600},
    "closed": {
        **BASE,
        "networkPolicy": {
            "enabled": True,
            "ingressFrom": [{"namespaceSelector": {}}],
            "egress": {"rules": [{"to": [{"ipBlock": {"cidr": "10.0.0.5/32"}}]}]},
        },
    },
    "open": {**BASE, "networkPolicy": {"enabled": True, "egress": {"closed": False}}},
    "everything": {
        **BASE,
        "imagePullSecrets": [{"name": "registry"}],
        "data": {"existingClaim": "pictures"},
        "weights": {"fetch": {"enabled": True, "licences": ["openrail++"]}},
        "api": {"replicas": 3, "readiness": "/healthz", "nodeSelector": {"kind": "small"}},
        "worker": {"replicas": 4, "runtimeClassName": "nvidia", "affinity": {"nodeAffinity": {}}},
    },
}
BAD: dict[str, Values] = {
    "no address": {},
    "an address without a scheme": {"publicUrl": "pictures.example.com"},
    "a number that would be written with an exponent": {**BASE, "settings": {"retention": 75e6}},
    "a setting that has its own value": {**BASE, "settings": {"database_url": "postgresql://x"}},
    "a name that nobody reads": {**BASE, "replicas": 2},
    "another engine": {**BASE, "engine": "flux"},
    "two cards for one worker": {**BASE, "worker": {"gpu": {"count": 2}}},
}


@pytest.fixture(scope="module")
def renderings() -> dict[str, Rendering]:
    return render(GOOD | BAD)


def list_pods(rendering: Rendering) -> list[Any]:
    kinds = ("Deployment", "StatefulSet", "Job")
    found = [each for kind in kinds for each in rendering.find(kind)]
    return [each["spec"]["template"]["spec"] for each in found]


def container_of(pod: Any) -> Any:
    (container,) = pod["containers"]
    return container


@pytest.mark.parametrize("case", GOOD)
def test_helms_linter_finds_nothing(renderings: dict[str, Rendering], case: str) -> None:
    assert renderings[case].found == []
    assert renderings[case].refusal is None


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_manifest_fits_the_schema_of_kubernetes(
    renderings: dict[str, Rendering], version: str, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{case}.yaml" for case in GOOD]
    for path in paths:
        path.write_text(renderings[path.stem].text)
    run("kubernetes-validate", "--strict", "--quiet", "-k", version, *paths)


@pytest.mark.parametrize("case", BAD)
def test_values_that_could_not_work_are_refused(
    renderings: dict[str, Rendering], case: str
) -> None:
    assert renderings[case].refusal


def test_every_command_is_one_that_the_program_takes(renderings: dict[str, Rendering]) -> None:
    commands = [container_of(pod)["args"] for case in GOOD for pod in list_pods(renderings[case])]
    assert {words[0] for words in commands} == {"serve", "work", "weights"}
    assert all(is_command(words) for words in commands)


def test_every_variable_is_a_setting_and_no_secret_is_written_out(
    renderings: dict[str, Rendering],
) -> None:
    for case in GOOD:
        for pod in list_pods(renderings[case]):
            for variable in container_of(pod)["env"]:
                name = variable["name"]
                if name.startswith("SMART_RESIZE_"):
                    assert name.removeprefix("SMART_RESIZE_").lower() in Settings.model_fields
                assert ("valueFrom" in variable) is (name == "SMART_RESIZE_DATABASE_URL")
    (api,) = renderings["bucket"].find("Deployment")
    container = container_of(api["spec"]["template"]["spec"])
    assert {"name": "SMART_RESIZE_RETENTION", "value": "75000000"} in container["env"]
    assert container["envFrom"] == [{"secretRef": {"name": "s3"}}]


@pytest.mark.parametrize("case", GOOD)
def test_every_pod_is_closed(renderings: dict[str, Rendering], case: str) -> None:
    """Links to services would set SMART_RESIZE_PORT to something that is no port."""
    for pod in list_pods(renderings[case]):
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        container = container_of(pod)["securityContext"]
        assert container["readOnlyRootFilesystem"] is True
        assert container["allowPrivilegeEscalation"] is False
        assert container["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("case", GOOD)
def test_a_stopping_pod_gets_longer_than_its_jobs_do(
    renderings: dict[str, Rendering], case: str
) -> None:
    for kind in ("Deployment", "StatefulSet"):
        (found,) = renderings[case].find(kind)
        pod = found["spec"]["template"]["spec"]
        values = {each["name"]: each.get("value") for each in container_of(pod)["env"]}
        assert (
            pod["terminationGracePeriodSeconds"] > float(values["SMART_RESIZE_DRAIN"]) + GRACE + 5
        )


def test_a_worker_has_one_card_or_needs_none(renderings: dict[str, Rendering]) -> None:
    for case in GOOD:
        (worker,) = renderings[case].find("StatefulSet")
        container = container_of(worker["spec"]["template"]["spec"])
        cards = container["resources"]["limits"].get("nvidia.com/gpu")
        device = container["args"][container["args"].index("--device") + 1]
        assert (cards, device) == ((None, "cpu") if case == "preview" else (1, "cuda:0"))


def test_api_and_workers_sign_with_the_same_secret_and_share_their_pictures(
    renderings: dict[str, Rendering],
) -> None:
    for case in GOOD:
        for kind in ("Deployment", "StatefulSet"):
            (found,) = renderings[case].find(kind)
            pod = found["spec"]["template"]["spec"]
            volumes = {volume["name"]: volume for volume in pod["volumes"]}
            assert volumes["links"]["secret"]["secretName"] == "smart-resize-links"
            assert volumes["tmp"]["emptyDir"]["medium"] == "Memory"
            if case == "bucket":
                assert volumes["data"]["emptyDir"] == {}
            else:
                claim = "pictures" if case == "everything" else "smart-resize-data"
                assert volumes["data"]["persistentVolumeClaim"]["claimName"] == claim
    claims = {
        case: [each["metadata"]["name"] for each in renderings[case].find("PersistentVolumeClaim")]
        for case in GOOD
    }
    assert claims["plain"] == ["smart-resize-data", "smart-resize-weights"]
    assert claims["bucket"] == claims["everything"] == ["smart-resize-weights"]
    assert claims["preview"] == ["smart-resize-data"]


def test_a_closed_network_lets_workers_out_to_public_addresses_only(
    renderings: dict[str, Rendering],
) -> None:
    policies = {
        each["metadata"]["name"].removeprefix("smart-resize-"): each["spec"]
        for each in renderings["closed"].find("NetworkPolicy")
    }
    assert set(policies) == {"api", "worker", "fetch"}
    assert policies["worker"]["ingress"] == []
    assert len(policies["api"]["egress"]) == 2  # names, and the operator's rule
    *_, public = policies["worker"]["egress"]
    assert public["ports"] == [{"protocol": "TCP", "port": 443}]
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(public["to"][0]["ipBlock"]["except"])
    assert not renderings["plain"].find("NetworkPolicy")
    for policy in renderings["open"].find("NetworkPolicy"):
        assert policy["spec"]["egress"] == [{}]


def test_the_chart_has_the_programs_version() -> None:
    chart = YAML(typ="safe").load(CHART / "Chart.yaml")
    assert chart["appVersion"] == importlib.metadata.version("smart-resize")
