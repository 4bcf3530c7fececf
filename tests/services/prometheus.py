"""A Prometheus of one's own, which scrapes a service every few seconds and waits for nothing."""

import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.services.servers import Server
from tests.services.visitors import wait
from tests.support.service import ROOT, free_port

RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
WINDOW = "15s"
SCRAPE = "3s"  # and no longer may an answer take: a database that is gone costs two
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Waits that are minutes in the rules: promtool's tests know their true length.
_SHORTER = {
    "[5m]": f"[{WINDOW}]",
    "[15m]": f"[{WINDOW}]",
    "_seconds) > 120\n": "_seconds) > 3\n",
    "_seconds) > 30\n": "_seconds) > 3\n",
}


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that an expression has now."""
        asked = urllib.parse.urlencode({"query": expression})
        return list(self._get(f"query?{asked}")["result"])

    def firing(self) -> dict[str, dict[str, str]]:
        """Return the annotations of each alert that fires, by its name."""
        alerts = self._get("alerts")["alerts"]
        return {
            each["labels"]["alertname"]: each["annotations"]
            for each in alerts
            if each["state"] == "firing"
        }

    def _get(self, path: str) -> Any:
        with _OPENER.open(f"{self.url}/api/v1/{path}", timeout=30) as response:
            answer = json.load(response)
        assert answer["status"] == "success"
        return answer["data"]


@contextmanager
def own_prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Scrape `target` (``host:port``), under our rules without their waits."""
    program = shutil.which("prometheus")
    if not program:
        pytest.skip("prometheus is not installed (Debian: prometheus)")
    config, port = folder / "prometheus.yml", free_port()
    config.write_text(yaml.safe_dump(_config(folder, target)))
    argv = [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    argv += [f"--storage.tsdb.path={folder / 'tsdb'}", "--log.level=warn"]
    server = Server(*argv, port=port).start()
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        server.kill()


def _config(folder: Path, target: str) -> dict[str, Any]:
    rules = folder / "rules.yaml"
    text = RULES.read_text()
    for ours, shorter in _SHORTER.items():
        assert ours in text
        text = text.replace(ours, shorter)
    groups = yaml.safe_load(text)
    for rule in groups["groups"][0]["rules"]:
        rule.pop("for", None)
    rules.write_text(yaml.safe_dump(groups))
    return {
        "global": {"scrape_interval": SCRAPE, "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [
            {
                "job_name": "guestportal",
                "static_configs": [{"targets": [target]}],
            }
        ],
    }


def until(seen: Callable[[], Any], *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Look until something is seen, doing something meanwhile; a busy machine may take its time."""
    for _ in range(600):
        if seen():
            return
        meanwhile()
        wait(0.2)
    raise AssertionError("nothing of the kind was seen in two minutes or more")
