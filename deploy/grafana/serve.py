"""Dashboard *serve*: what the HTTP API is asked, how quickly it answers, and with which lists."""

from typing import Final

from deploy.grafana.panels import Board, Panel, Query
from deploy.grafana.queries import COUNT, RATE, SECONDS, each, level, one, per_second, quantile

_SECONDS: Final = "freshrec_http_request_seconds"

SERVE: Final = Board(
    "serve",
    "serve",
    (
        one("Ready", COUNT, "Processes that have read what they answer from.", "sum(freshrec_serve_ready)"),
        Panel(
            "Answers take",
            SECONDS,
            "From the head of a request to the body of its answer.",
            tuple(Query(quantile(share, _SECONDS), f"p{100 * share:g}") for share in (0.5, 0.95, 0.99)),
        ),
        each("99 % of a path within", SECONDS, "By path.", quantile(0.99, _SECONDS, "route"), "{{route}}"),
        each(
            "Requests by path", RATE, "What is asked.", per_second(f"{_SECONDS}_count", "route"), "{{route}}"
        ),
        each(
            "Requests by status",
            RATE,
            "4xx: the question was wrong; 503: not ready, or no Kafka for events.",
            per_second("freshrec_http_requests_total", "status"),
            "{{status}}",
            stacked=True,
        ),
        each(
            "Lists given",
            RATE,
            "standing: as the worker made them; computed for the question; fallback: who asks is not known.",
            per_second("freshrec_http_lists_total", "source"),
            "{{source}}",
            stacked=True,
        ),
        each(
            "Fault in the shop's rules",
            COUNT,
            "1 while their file cannot be used and older rules hold on, by process.",
            level("freshrec_serve_business_rules_faulty", "instance", how="max"),
            "{{instance}}",
        ),
        each(
            "Not ready",
            COUNT,
            "By process.",
            f"1 - {level('freshrec_serve_ready', 'instance', how='max')}",
            "{{instance}}",
        ),
    ),
)
