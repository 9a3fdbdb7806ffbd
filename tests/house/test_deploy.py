"""What is in deploy/ fits the program, and systemd and Docker understand it.

Nothing here starts a container or a unit: compose files are held to their schema, units are read
by systemd itself where it is installed, and by a list of the directives that it documents.
"""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from server.settings import Settings
from server.work.supervisor import GRACE
from tests.house.commands import is_command
from tests.house.house import ROOT, list_files
from tests.house.tools import need, run

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAM = "/opt/smart-resize/bin/smart-resize"
SETTINGS = set(Settings.model_fields)
LATEST_END = Settings.model_fields["drain"].default + GRACE

MOST_EXPOSED = 20
"""Tenths of what systemd calls exposure: 0 is nothing, 100 is all."""

# the pages unit, service, exec, kill and resource-control of systemd's manual
DOCUMENTED = {
    "Unit": {"After", "Description", "StartLimitIntervalSec", "Wants"},
    "Service": {
        *("CapabilityBoundingSet", "DeviceAllow", "DevicePolicy", "Environment"),
        *("EnvironmentFile", "ExecStart", "KillMode", "LockPersonality", "NoNewPrivileges"),
        *("PrivateTmp", "PrivateUsers", "ProtectClock", "ProtectControlGroups", "ProtectHome"),
        *("ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules"),
        *("ProtectKernelTunables", "ProtectProc", "ProtectSystem", "Restart"),
        *("RestartPreventExitStatus", "RestartSec", "RestrictAddressFamilies"),
        *("RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "StateDirectory"),
        *("StateDirectoryMode", "SystemCallArchitectures", "SystemCallErrorNumber"),
        *("SystemCallFilter", "TimeoutStopSec", "Type", "UMask", "User", "WorkingDirectory"),
    },
    "Install": {"WantedBy"},
}


def read_unit(path: Path) -> list[tuple[str, str, str]]:
    """Section, directive and value of each line."""
    found, section = [], ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.append((section, name, value))
    return found


def value_of(path: Path, directive: str) -> str:
    (value,) = [value for _, name, value in read_unit(path) if name == directive]
    return value


def read_compose(name: str) -> Any:
    return YAML(typ="safe").load(DEPLOY / name)


CLUSTER = read_compose("compose.cluster.yaml")["services"]
WORKERS = {name: service for name, service in CLUSTER.items() if name.startswith("worker-")}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_has_nothing_against_a_unit(path: Path, tmp_path: Path) -> None:
    """It looks whether the program is there: any that is will do."""
    unit = tmp_path / path.name
    unit.write_text(path.read_text().replace(PROGRAM, sys.executable))
    run("systemd-analyze", "verify", "--man=no", unit)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_hardened_by_systemds_own_measure(path: Path) -> None:
    need("systemd-analyze")
    run(
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={MOST_EXPOSED}",
        "--no-pager",
        path,
    )


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_has_only_documented_directives_in_their_sections(path: Path) -> None:
    for section, name, value in read_unit(path):
        assert name in DOCUMENTED[section], name
        assert value or name == "CapabilityBoundingSet"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_only_the_main_process_of_a_unit_is_told_to_stop(path: Path) -> None:
    """A worker that hears SIGTERM twice leaves its job at once."""
    assert value_of(path, "KillMode") == "mixed"
    assert not [name for _, name, _ in read_unit(path) if name == "RemoveIPC"]


def test_whoever_stops_the_program_gives_its_jobs_their_time() -> None:
    for path in UNITS:
        assert int(value_of(path, "TimeoutStopSec")) > LATEST_END
    ours = [
        CLUSTER["api"],
        *WORKERS.values(),
        read_compose("compose.yaml")["services"]["smart-resize"],
    ]
    for service in ours:
        assert int(service["stop_grace_period"].removesuffix("s")) > LATEST_END


def test_every_command_in_deploy_is_one_that_the_program_takes() -> None:
    commands = [service["command"] for service in (CLUSTER["api"], *WORKERS.values())]
    for path in UNITS:
        program, *words = value_of(path, "ExecStart").replace("%i", "cuda:0").split()
        assert program == PROGRAM
        commands.append(words)
    assert len(commands) >= 5
    assert all(is_command(words) for words in commands)


def test_a_command_that_the_program_does_not_take_is_noticed() -> None:
    for words in (["work", "--card", "0"], ["labour"], ["keys", "make"]):
        assert not is_command(words), words


def test_every_variable_in_deploy_and_on_the_page_is_a_setting() -> None:
    pages = [*list_files("deploy/**"), ROOT / "docs/operate.md"]
    found = {
        name.lower()
        for path in pages
        for name in re.findall(r"SMART_RESIZE_([A-Z]+(?:_[A-Z]+)*)\b", path.read_text())
    }
    assert len(found) > 6
    assert found <= SETTINGS


def test_each_worker_of_the_cluster_has_a_card_and_a_name_of_its_own() -> None:
    cards = []
    for name, service in WORKERS.items():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        cards += device["device_ids"]
        assert "count" not in device
        assert service["hostname"] == name
    assert len(WORKERS) >= 2
    assert len(set(cards)) == len(WORKERS)


def test_only_the_api_of_the_cluster_can_be_reached_and_only_from_its_machine() -> None:
    published = {name: service["ports"] for name, service in CLUSTER.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8000:8000"]}
    assert CLUSTER["database"]["networks"] == ["inside"]
    assert read_compose("compose.cluster.yaml")["networks"]["inside"] == {"internal": True}


def test_api_and_workers_of_the_cluster_share_what_they_must() -> None:
    for service in (CLUSTER["api"], *WORKERS.values()):
        shared = {volume["target"]: volume["source"] for volume in service["volumes"]}
        assert shared["/data"] == "data"
        assert shared["/dev/shm"] == "memory"
        assert service["environment"] == CLUSTER["api"]["environment"]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_every_secret_of_the_cluster_comes_from_the_operators_surroundings() -> None:
    secret = re.compile("PASSWORD|ACCESS_KEY|DATABASE_URL")
    values = [
        value
        for service in CLUSTER.values()
        for name, value in service["environment"].items()
        if secret.search(name)
    ]
    assert len(values) > len(CLUSTER)
    for value in values:
        assert value is None or re.search(r"(^|://smart-resize:)\$\{POSTGRES_PASSWORD:\?", value)
