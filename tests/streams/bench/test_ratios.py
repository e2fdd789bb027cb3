"""Nothing gets slower by a third unseen: ratios to plain Python on the same records stay what they were.

Both take turns in a process of their own, in processor time, and the fastest of their rounds count: what
else the machine does hits both. Ratios belong to a version of Python; under another one none is compared.
"""

import json
from pathlib import Path

import pytest

from streams.bench.figures import in_own_process
from tests.streams.bench.ratios import SCENARIOS, python_version, ratio

STORED = json.loads((Path(__file__).parent / "ratios.json").read_text())
MOST_TIMES = 1.3
TRIES = 3
"""A machine that is busy at the wrong moment is asked again; what has become slower stays slower."""

pytestmark = pytest.mark.skipif(
    python_version() not in STORED, reason=f"there are no ratios of Python {python_version()} to compare with"
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_was_measured_beside_plain_python_has_not_become_slower(name: str) -> None:
    most = MOST_TIMES * STORED[python_version()][name]
    found: list[float] = []
    while len(found) < TRIES and (not found or found[-1] > most):
        found.append(in_own_process(ratio, name))
    assert min(found) <= most, f"{name}: {found} times plain Python; at most {most:.3g}"
