"""Grafana's dashboards, as Python that writes their JSON: `python -m deploy.grafana`."""
