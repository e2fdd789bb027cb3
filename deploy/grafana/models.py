"""Dashboard *models*: what lists are made of, and what models learn and tell."""

from typing import Final

from deploy.grafana.panels import Board
from deploy.grafana.queries import COUNT, HERE, LEARNED_FROM, OVER, RATE, SHARE, each, per_second

MODELS: Final = Board(
    "models",
    "models",
    (
        each(
            "What lists are made of",
            SHARE,
            "Recommended items by the source of their first reason.",
            per_second("freshrec_recommendations_total", "source")
            + " / ignoring (source) group_left () "
            + f"sum (rate(freshrec_recommendations_total{{{HERE}}}{OVER}))",
            "{{source}}",
            stacked=True,
        ),
        each(
            "Items recommended",
            RATE,
            "By the source of their first reason.",
            per_second("freshrec_recommendations_total", "source"),
            "{{source}}",
            stacked=True,
        ),
        each(
            "Rows published",
            RATE,
            "What models tell: views that lists are made from, and outputs.",
            per_second("freshrec_published_rows_total", "view"),
            "{{view}}",
        ),
        each(
            "Learned by model",
            RATE,
            "Records of the stages that learn.",
            f"sum by (stage) (rate(freshrec_stage_batch_records_sum{{{HERE},"
            f'stage=~"rules|popularity|segments|clusters|ranker"}}{OVER}))',
            "{{stage}}",
        ),
        each(
            "Still to be learned",
            COUNT,
            "Lag of what models learn from.",
            f'sum by (topic) (freshrec_lag_records{{{HERE},topic=~"{LEARNED_FROM}"}})',
            "{{topic}}",
        ),
        each(
            "Learning takes",
            SHARE,
            "Share of a core that a stage is busy.",
            per_second("freshrec_stage_batch_seconds_sum", "stage"),
            "{{stage}}",
            stacked=True,
        ),
    ),
)
