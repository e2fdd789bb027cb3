"""A text of Prometheus metrics as figures. Pure."""

from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

Figures = dict[str, list[tuple[dict[str, str], float]]]
"""Samples by name: labels and value of each."""


class Reading(NamedTuple):
    """What a worker's metrics were at a moment (epoch ms)."""

    at: int
    figures: Figures


def figures_of(text: str, names: frozenset[str]) -> Figures:
    r"""Parse samples of some names.

    Raises
    ------
    ValueError
        A line that should be a sample of one is none.

    Examples
    --------
    >>> figures_of('# HELP lag x\nlag{topic="a"} 3.5\nother 4\n', frozenset({"lag"}))
    {'lag': [({'topic': 'a'}, 3.5)]}
    """
    wanted = [line for line in text.splitlines() if line.partition(" ")[0].partition("{")[0] in names]
    found: Figures = {}
    for family in text_string_to_metric_families("\n".join([*wanted, ""])):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found
