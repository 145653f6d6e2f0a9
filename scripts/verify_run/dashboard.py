"""Writes the dashboard for Grafana, as Cockpit has it, and the alert rules."""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from verify_run.alerts import alert_rules
from verify_run.queries import QUERIES, SELECTOR, Query

DASHBOARD_FILE: Final = "transcriber-dashboard.json"
ALERTS_FILE: Final = "transcriber-alerts.yml"
# Grafana's grid has 24 columns.
_COLUMNS: Final = 24
_WIDTH, _HEIGHT = 8, 7
_SOURCE: Final = {"type": "loki", "uid": "${source}"}


def write_dashboard(folder: Path) -> list[Path]:
    """Write dashboard and alerts into `folder`; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    dashboard, alerts = folder / DASHBOARD_FILE, folder / ALERTS_FILE
    dashboard.write_text(json.dumps(grafana_dashboard(), indent=1, ensure_ascii=False) + "\n")
    alerts.write_text(yaml.safe_dump(alert_rules(), sort_keys=False, width=120, allow_unicode=True))
    return [dashboard, alerts]


def grafana_dashboard() -> dict[str, Any]:
    """The dashboard, to be imported; its variables are the source of logs, and which lines are the function's."""
    return {
        "title": "Transcriber",
        "uid": "transcriber",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "tags": ["transcriber"],
        "templating": {"list": [_source_variable(), _selector_variable()]},
        "panels": [*(_panel(number, query) for number, query in enumerate(QUERIES)), _log_panel(len(QUERIES))],
    }


def _source_variable() -> dict[str, Any]:
    return {"name": "source", "label": "Logs", "type": "datasource", "query": "loki", "refresh": 1}


def _selector_variable() -> dict[str, Any]:
    shown = {"text": SELECTOR, "value": SELECTOR}
    return {
        "name": "lines",
        "label": "The function's lines",
        "type": "textbox",
        "query": SELECTOR,
        "current": shown,
        "options": [{**shown, "selected": True}],
    }


def _panel(number: int, query: Query) -> dict[str, Any]:
    target = {
        "refId": "A",
        "datasource": _SOURCE,
        # Not escaped by Grafana: it is LogQL, and no value in it.
        "expr": query.text("${lines:raw}", "$__interval"),
        "legendFormat": query.legend or query.title,
        "queryType": "range",
    }
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": query.title,
        "description": query.description,
        "datasource": _SOURCE,
        "gridPos": _place(number),
        "fieldConfig": {"defaults": {"unit": query.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [target],
    }


def _log_panel(number: int) -> dict[str, Any]:
    """The lines themselves, for what a figure does not say."""
    query = '${lines:raw} | json level="level" | level=~"warning|error"'
    return {
        "id": number + 1,
        "type": "logs",
        "title": "Warnings and errors",
        "datasource": _SOURCE,
        "gridPos": {**_place(number), "x": 0, "y": _place(number)["y"] + _HEIGHT, "w": _COLUMNS, "h": _HEIGHT + 3},
        "options": {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending"},
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": query, "queryType": "range"}],
    }


def _place(number: int) -> dict[str, int]:
    each_row = _COLUMNS // _WIDTH
    return {"x": number % each_row * _WIDTH, "y": number // each_row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
