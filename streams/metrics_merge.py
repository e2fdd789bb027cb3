"""Prometheus texts of several processes as one: each sample gets the label `group`, each family one head.

Pure; fetching the texts is `streams.metrics_server`'s business.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

LABEL = "group"


class Merged(Collector):
    r"""Families of several processes; the first to bring a family gives its help text and type.

    Examples
    --------
    >>> merged = Merged()
    >>> merged.add("history", "# TYPE lag gauge\nlag 3\n")
    >>> merged.add("rules", "# TYPE lag gauge\nlag 4\n")
    >>> merged.render().decode().splitlines()[1:]
    ['# TYPE lag gauge', 'lag{group="history"} 3.0', 'lag{group="rules"} 4.0']
    """

    def __init__(self) -> None:
        self._families: dict[str, Metric] = {}

    def add(self, group: str, text: str) -> None:
        """Take the samples of one process; one that names its group already keeps it.

        Raises
        ------
        ValueError
            If `text` is not in the Prometheus text format; then nothing of it is taken.
        """
        for family in list(text_string_to_metric_families(text)):
            known = self._families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            known.samples += [_labelled(sample, group) for sample in family.samples]

    def collect(self) -> Iterator[Metric]:
        """Families in the order in which they came."""
        yield from self._families.values()

    def render(self) -> bytes:
        """All families in the Prometheus text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)


def _labelled(sample: Sample, group: str) -> Sample:
    return sample._replace(labels={LABEL: group, **sample.labels})
