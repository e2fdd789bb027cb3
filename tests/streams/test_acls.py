from pathlib import Path

import pytest

from streams.acls import ROLES, Permission, Role, permissions, table
from streams.topology import SERVE, STAGES, TOPICS

WHO: dict[Role, str] = {role: f"User:{role}" for role in ROLES}


def of(role: Role, prefix: str = "") -> dict[str, Permission]:
    return {each.name: each for each in permissions(prefix, WHO) if each.role == role}


def test_the_worker_may_read_what_stages_read_and_follow_and_write_what_they_write() -> None:
    found = of("worker")
    for stage in STAGES:
        assert all("READ" in found[name].operations for name in (*stage.reads, *stage.follows))
        assert all("WRITE" in found[name].operations for name in stage.writes)
        group = found[f"freshrec-{stage.group}"]
        assert (group.resource, group.pattern, group.operations) == ("group", "prefixed", ("READ",))


def test_the_worker_may_not_write_entries_nor_read_outputs() -> None:
    found = of("worker")
    for topic in TOPICS:
        if topic.kind == "entry":
            assert "WRITE" not in found[topic.name].operations
        if topic.kind == "output":
            assert "READ" not in found[topic.name].operations


def test_a_server_may_read_what_it_follows_and_write_the_entries_and_is_in_no_group() -> None:
    found = of("server")
    assert set(found) == {*SERVE.follows, *SERVE.remembers, *SERVE.shows, *SERVE.writes}
    for name, each in found.items():
        assert ("READ" in each.operations) == (name not in SERVE.writes)
        assert ("WRITE" in each.operations) == (name in SERVE.writes)


def test_a_storefront_may_write_the_entries_and_nothing_else() -> None:
    found = of("storefront")
    assert set(found) == {topic.name for topic in TOPICS if topic.kind == "entry"}
    assert all("READ" not in each.operations for each in found.values())


def test_a_reader_may_read_the_outputs_but_not_what_was_refused() -> None:
    found = of("reader")
    outputs = {topic.name for topic in TOPICS if topic.kind == "output"}
    assert set(found) == outputs - {"rejected"} | {"reader-"}
    assert {each.operations for each in found.values()} == {("READ",)}


def test_nobody_may_delete_or_alter_anything_and_an_operator_reads_only_what_was_refused() -> None:
    every = permissions("", WHO)
    allowed = {operation for each in every for operation in each.operations}
    assert allowed == {"READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"}
    readable = {each.name for each in of("operator").values() if "READ" in each.operations}
    assert readable == {"rejected"}


@pytest.mark.parametrize("role", ROLES)
def test_names_take_the_prefix_and_each_stands_once(role: Role) -> None:
    found = [each for each in permissions("shop-", WHO) if each.role == role]
    assert len({(each.resource, each.name) for each in found}) == len(found)
    assert all(each.name.startswith("shop-") and each.principal == f"User:{role}" for each in found)
    assert {name.removeprefix("shop-") for name in of(role, "shop-")} == set(of(role))


def test_the_page_on_security_has_the_table_of_all_permissions() -> None:
    page = (Path(__file__).parents[2] / "SECURITY.md").read_text()
    assert table() in page, "run: python -m streams.acls, and put what it prints into SECURITY.md"
