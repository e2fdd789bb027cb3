"""Dashboard *experiments*: what came of each variant. Which one is better says `freshrec experiments`.

Every process of stage group *customers* shows the figures of all partitions, so the largest is the newest.
"""

from typing import Final

from deploy.grafana.panels import Board, Panel
from deploy.grafana.queries import COUNT, SHARE, each, level

_ARM: Final = ("experiment", "variant")
_LEGEND: Final = "{{experiment}}: {{variant}}"


def _figure(name: str) -> str:
    return level(f"freshrec_experiment_{name}", *_ARM, how="max")


def _of_arms(title: str, unit: str, reading: str, expression: str) -> Panel:
    return each(title, unit, reading, expression, _LEGEND)


EXPERIMENTS: Final = Board(
    "experiments",
    "experiments",
    (
        _of_arms(
            "Customers",
            COUNT,
            "Who was shown a list; they come in the shares that are set.",
            _figure("customers"),
        ),
        each(
            "Shares as they are set",
            SHARE,
            "How likely such shares are if they are right, at any time; below .001 they are not.",
            level("freshrec_experiment_sample_ratio_p_value", "experiment", how="min"),
            "{{experiment}}",
            limit=0.001,
        ),
        _of_arms(
            "Click-through",
            SHARE,
            "Lists that were clicked, of those that were shown.",
            f"{_figure('clicked_lists')} / {_figure('lists')}",
        ),
        _of_arms(
            "Conversion",
            SHARE,
            "Customers who ordered after their first list.",
            f"{_figure('buyers')} / {_figure('customers')}",
        ),
        _of_arms(
            "Revenue of a visit",
            COUNT,
            "From the first list on, in the currency.",
            f"{_figure('revenue')} / {_figure('visits')}",
        ),
        _of_arms(
            "In two variants",
            SHARE,
            "Customers who crossed; above one in a hundred there is no verdict.",
            f"{_figure('crossed_customers')} / {_figure('customers')}",
        ),
    ),
)
