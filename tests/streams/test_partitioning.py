"""Keys go to the partitions that Kafka's own clients put them in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2

from streams.partitioning import partition_of


@given(st.text(), st.integers(1, 50))
def test_partitions_are_those_of_another_client(key: str, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


@pytest.mark.parametrize(("key", "hashed"), [("21", -973932308), ("foobar", -790332482), ("", 275646681)])
def test_hashes_are_those_of_kafkas_own_tests(key: str, hashed: int) -> None:
    assert partition_of(key, 1_000) == (hashed & 0x7FFFFFFF) % 1_000
