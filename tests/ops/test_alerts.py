"""Alerts and the dashboard ask for what the service really tells, and each alert has a
section for whoever is woken by it."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.tools import said, tool
from tests.ops.alert_cases import CASES
from tests.support.api import settings
from tests.support.service import Ports, serve

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = ROOT / "deploy/grafana/control-plane.json"
RUNBOOK = ROOT / "docs/operations.md"
OURS = re.compile(r"\b(?:control_plane|process)_[a-z_]+")
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def dashboard() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.fixture
async def ports(database_url: str, redis_url: str) -> AsyncIterator[Ports]:
    async with serve(settings(database_url, redis_url)) as found:
        yield found


async def scraped(ports: Ports) -> str:
    found = []
    async with aiohttp.ClientSession() as http:
        for port in (ports.internal, ports.api_metrics, ports.work_metrics):
            async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
                found.append(await response.text())
    return "\n".join(found)


async def test_they_ask_for_what_the_service_tells(ports: Ports) -> None:
    families = list(text_string_to_metric_families(await scraped(ports)))
    told = {one.name + end for one in families for end in SUFFIXES.get(one.type, ())}
    asked = [rule["expr"] for rule in alerts().values()] + dashboard()
    names = {name for one in asked for name in OURS.findall(one)}
    assert len(names) > 30
    assert names <= told
    ours = {one.name: one.type for one in families if one.name.startswith("control_")}
    assert not [name for name in ours if name.endswith("_milliseconds")]


def test_each_alert_has_a_section_and_each_section_an_alert() -> None:
    text = RUNBOOK.read_text()
    sections = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=\n\n|\Z)", text, re.M | re.S))
    found = alerts()
    assert sections.keys() == found.keys()
    for name, words in sections.items():
        severity = found[name]["labels"]["severity"]
        assert re.match(rf"- \*\*Means\*\* \({severity}\): .*", words)
        assert "**Look at**" in words
        assert "**Do**" in words
        link = found[name]["annotations"]["runbook"]
        assert link == f"docs/operations.md#{name.lower()}"


def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    promtool = tool("promtool")
    said(promtool, "check", "config", str(ALERTS.with_name("prometheus.yml")))
    rules = [
        {"record": f"panel:{number}", "expr": expression}
        for number, expression in enumerate(dashboard())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    said(promtool, "check", "rules", str(file))


def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    assert CASES.keys() == alerts().keys()
    promtool = tool("promtool")
    tests = [
        {
            "interval": "15s",
            "input_series": [
                {"series": name, "values": values} for name, values in series.items()
            ],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                    "eval_time": "10m",
                    "exp_samples": [{"labels": "{}", "value": 1}] * fires,
                }
            ],
        }
        for alert, well_and_ill in CASES.items()
        for fires, series in enumerate(well_and_ill)
    ]
    file = tmp_path / "cases.yml"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "tests": tests}))
    said(promtool, "test", "rules", str(file))
