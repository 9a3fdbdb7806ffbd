"""Alerts and dashboard: Prometheus and Grafana understand them, and what they ask for exists."""

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from server.api.metrics import Requests
from tests.house.house import ROOT
from tests.house.tools import need_library, run
from tests.server.api.scrape import ask, live, open_house

FOLDER = ROOT / "deploy/prometheus"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/smart-resize.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
PAGE = (ROOT / "docs/operate.md").read_text()

GIVEN = {"instance", "job"}
"""Labels that Prometheus adds itself."""


def read_yaml(name: str) -> Any:
    return YAML(typ="safe").load(FOLDER / name)


RULES = [rule for group in read_yaml("alerts.yml")["groups"] for rule in group["rules"]]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of each name that /metrics shows where everything has happened once."""
    data = tmp_path_factory.mktemp("data")
    engine = open_house(data)
    live(engine)
    requests = Requests()
    requests.observe("/v1/runs/{job_id}", 200, 0.01)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(ask(engine, data, requests).text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    engine.dispose()
    return found


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in RULES)])
def test_a_query_asks_for_what_metrics_show(query: str, exposed: dict[str, set[str]]) -> None:
    asked = re.findall(r"\b(smart_resize_\w+)(?:\{([^}]*)\})?", query)
    assert asked or query.startswith("up{")
    labels = set()
    for name, matchers in asked:
        assert name in exposed
        assert set(re.findall(r"(\w+) *[=!]", matchers)) <= exposed[name] | GIVEN
        labels |= exposed[name]
    for words in re.findall(r"\b(?:by|on) \(([^)]*)\)", query):
        grouped = {word.strip() for word in words.split(",") if word.strip()}
        assert grouped <= labels | GIVEN


def test_prometheus_understands_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(QUERIES)
    ]
    path = tmp_path / "queries.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    run("promtool", "check", "rules", path)


def test_prometheus_has_nothing_against_the_example_and_its_rules(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    key = tmp_path / "key"
    key.touch()
    config = tmp_path / "prometheus.yml"
    config.write_text(config.read_text().replace("/etc/prometheus/smart-resize.key", str(key)))
    assert str(key) in config.read_text()
    run("promtool", "check", "config", config)


def test_every_alarm_rings_when_it_should_and_not_before() -> None:
    run("promtool", "test", "rules", "alerts_test.yml", cwd=FOLDER)
    cases = [
        case for test in read_yaml("alerts_test.yml")["tests"] for case in test["alert_rule_test"]
    ]
    alarms = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == alarms


def test_the_dashboard_is_what_grafana_reads() -> None:
    """Read into Grafana's own types and written again, nothing of it is lost or other."""
    need_library("grafana_foundation_sdk")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415  may be missing
    from grafana_foundation_sdk.cog.plugins import (  # noqa: PLC0415  may be missing
        register_default_plugins,
    )
    from grafana_foundation_sdk.models.dashboard import Dashboard  # noqa: PLC0415  may be missing

    register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    assert keep(read, DASHBOARD) == DASHBOARD
    misspelt = {**DASHBOARD, "titel": "Smart Resize"}
    assert "titel" not in json.loads(JSONEncoder().encode(Dashboard.from_json(misspelt)))


def keep(value: Any, like: Any) -> Any:
    """``value`` without the defaults that were added to what ``like`` has."""
    match value, like:
        case dict(), dict():
            return {name: keep(value[name], like[name]) for name in like if name in value}
        case list(), list():
            return [keep(*pair) for pair in zip(value, like, strict=True)]
        case _:
            return value


def test_panels_have_ids_of_their_own_and_lie_side_by_side() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    places = sorted(
        (place["y"], place["x"], place["w"], place["h"])
        for place in (panel["gridPos"] for panel in PANELS)
    )
    for (y, x, width, height), (next_y, next_x, _, _) in pairwise(places):
        assert (next_x == x + width and next_y == y) or (next_x == 0 and next_y == y + height)
        assert x + width <= 24


def test_the_page_explains_every_metric_and_every_alert(exposed: dict[str, set[str]]) -> None:
    for name in exposed:
        family = re.sub("_(bucket|count|sum)$", "", name)
        if not family.startswith("smart_resize_process_"):
            assert f"`{family}`" in PAGE
    for rule in RULES:
        assert f"`{rule['alert']}`" in PAGE
