"""Dashboard *models*: how good lists are, what they are made of, what models learn and tell."""

from typing import Final

from deploy.grafana.panels import Board, Panel, Query
from deploy.grafana.queries import COUNT, HERE, LEARNED_FROM, OVER, RATE, SHARE, each, level, per_second


def share_of(part: str, whole: str, *by: str) -> str:
    """Rate of a counter, for each value of some labels, by the rate of another.

    Examples
    --------
    >>> share_of("hits_total", "queries_total", "list").count("rate(")
    2
    """
    return f"{per_second(part, *by)} / on () group_left () {per_second(whole)}"


def explored(sum_of: str, of: str) -> str:
    """What was summed over lists with drawn places in a day, or over those that were hit.

    Examples
    --------
    >>> explored("_weights", "hits")
    'sum(increase(freshrec_explored_weights_total{instance=~"$instance",of="hits"}[1d]))'
    """
    return f'sum(increase(freshrec_explored{sum_of}_total{{{HERE},of="{of}"}}[1d]))'


UNEXPLORED: Final = f"{explored('_weights', 'hits')} / {explored('_weights', 'lists')}"
UNEXPLORED_ERROR: Final = (
    f"sqrt({explored('_squared_weights', 'hits')} * (1 - 2 * ({UNEXPLORED}))"
    f" + {explored('_squared_weights', 'lists')} * ({UNEXPLORED}) ^ 2) / {explored('_weights', 'lists')}"
)
"""The value of lists without drawn places, and its standard error: `online_models.experiments.unexplored`."""

LEARNERS: Final = "rules|popularity|segments|clusters|ranker|outcomes|trees|profiles|needs|density"

MODELS: Final = Board(
    "models",
    "models",
    (
        each(
            "Hit rate",
            SHARE,
            "Acts on an item of the list that was given; beside it, of a list of what was popular then.",
            share_of("freshrec_list_hits_total", "freshrec_list_queries_total", "list"),
            "{{list}}",
        ),
        each(
            "Mean reciprocal rank",
            SHARE,
            "1 / place of the item that was acted on, 0 where it was not in the list.",
            share_of("freshrec_list_reciprocal_ranks_total", "freshrec_list_queries_total", "list"),
            "{{list}}",
        ),
        Panel(
            "Hit rate without drawn places",
            SHARE,
            "Of lists that were acted upon in a day: with drawn places, and what those without would have.",
            (
                Query(f"{explored('', 'hits')} / {explored('', 'lists')}", "lists as they are"),
                Query(UNEXPLORED, "without drawn places"),
                Query(f"{UNEXPLORED} - 1.96 * {UNEXPLORED_ERROR}", "at least"),
                Query(f"{UNEXPLORED} + 1.96 * {UNEXPLORED_ERROR}", "at most"),
            ),
        ),
        each(
            "What lists rest on",
            RATE,
            "popular: nothing else spoke for any item, as for customers who did nothing yet.",
            per_second("freshrec_lists_total", "basis"),
            "{{basis}}",
            stacked=True,
        ),
        each(
            "What lists are made of",
            SHARE,
            "Recommended items by the source of their first reason.",
            f"{per_second('freshrec_recommendations_total', 'source')} / on () group_left () "
            f"sum(rate(freshrec_recommendations_total{{{HERE}}}{OVER}))",
            "{{source}}",
            stacked=True,
        ),
        Panel(
            "Breadth",
            COUNT,
            "Different items in the newest lists: a fall means that everybody is told the same.",
            (Query(level("freshrec_exposed_items", "instance", how="max"), "items on {{instance}}"),),
        ),
        Panel(
            "Concentration",
            SHARE,
            "Gini: 0 is even, 1 is one item for all. Lift: 0 is as popular as what is acted on.",
            (
                Query(level("freshrec_exposure_gini_ratio", "instance", how="max"), "Gini on {{instance}}"),
                Query(level("freshrec_popularity_lift_ratio", "instance", how="max"), "lift on {{instance}}"),
            ),
        ),
        Panel(
            "Lists made again",
            RATE,
            "An item in them was sold out, or excluded by a rule.",
            (Query(per_second("freshrec_lists_withdrawn_total", "instance"), "{{instance}}"),),
        ),
        Panel(
            "Rules of the shop",
            COUNT,
            "Rules of its file in use; a fault is 1 while the file cannot be used and older rules hold on.",
            (
                Query(level("freshrec_business_rules", "instance", how="max"), "rules on {{instance}}"),
                Query(level("freshrec_business_rules_faulty", "instance", how="max"), "fault, {{instance}}"),
            ),
        ),
        each(
            "Loss of the ranker",
            COUNT,
            "New lessons before they are learned, far above learned ones: it fits too closely.",
            share_of("freshrec_ranker_losses_total", "freshrec_ranker_losses_compared_total", "lesson"),
            "{{lesson}}",
        ),
        each(
            "Error of the trees",
            SHARE,
            "Half the squared distance of what they foretold from what happened, since the last change.",
            f"max by (series) (freshrec_drift_error{{{HERE}}})",
            "{{series}}",
        ),
        Panel(
            "Changes that trees noticed",
            COUNT,
            "Another tree begins beside; when, in the time of events: the last one.",
            (
                Query(f"sum by (series) (increase(freshrec_drift_total{{{HERE}}}[1d]))", "{{series}}, a day"),
                Query(
                    f"max by (series) (freshrec_drift_last_timestamp_seconds{{{HERE}}})", "{{series}}, last"
                ),
            ),
        ),
        Panel(
            "Segments",
            SHARE,
            "Customers who were looked at again and are still in their segment.",
            (
                Query(
                    f"sum(rate(freshrec_segments_kept_total{{{HERE}}}{OVER})) / "
                    f"sum(rate(freshrec_segments_compared_total{{{HERE}}}{OVER}))",
                    "kept",
                ),
            ),
        ),
        Panel(
            "Groups by density",
            COUNT,
            "How many groups of customers there are, if nobody says how many.",
            (Query(level("freshrec_density_groups", "instance", how="max"), "{{instance}}"),),
        ),
        Panel(
            "Chances of buying",
            SHARE,
            "Mean distance of what was foretold from what came of it; above .05 do not rely on them.",
            (Query(f"max(freshrec_buying_calibration_error_ratio{{{HERE}}})", "calibration error"),),
            limit=0.05,
        ),
        Panel(
            "Answers about buying",
            COUNT,
            "Of how many customers it is known whether they bought: what chances are learned from.",
            (Query(f"max(freshrec_buying_answers{{{HERE}}})", "answers"),),
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
            f'sum by (stage) (rate(freshrec_stage_batch_records_sum{{{HERE},stage=~"{LEARNERS}"}}{OVER}))',
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
