"""All dashboards."""

from typing import Final

from deploy.grafana.experiments import EXPERIMENTS
from deploy.grafana.flow import FLOW
from deploy.grafana.latency import LATENCY
from deploy.grafana.models import MODELS
from deploy.grafana.serve import SERVE
from deploy.grafana.state import STATE

BOARDS: Final = (EXPERIMENTS, FLOW, LATENCY, MODELS, SERVE, STATE)
