"""Orders over several rows: gathered within bounds."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import OrderLine
from streams.formats.entries import FileRecord
from streams.formats.orders import OpenOrders, Order, merged
from tests.streams.formats.reading import message

ONE = OrderLine("i1", 1, 2.0)


def added(orders: OpenOrders, order_id: str, line: int, bought: OrderLine = ONE) -> list[FileRecord]:
    return orders.add(orders.opened(Order(order_id, line, at=line)), bought)


def test_rows_apart_become_one_purchase_at_the_first_line() -> None:
    orders = OpenOrders("x")
    for line, order_id in enumerate(["a", "b", "a"], 1):
        assert added(orders, order_id, line) == []
    second, first = orders.rest()
    assert (second.line, message(second)["order_id"]) == (2, "b")
    assert (first.line, first.at, message(first)["event_id"], len(message(first)["lines"])) == (
        1,
        1,
        "x-1",
        2,
    )


def test_the_order_that_waited_longest_makes_room() -> None:
    orders = OpenOrders("x", max_orders=2)
    closed = [added(orders, order_id, line) for line, order_id in enumerate(["a", "b", "a", "c"], 1)]
    assert [[message(record)["order_id"] for record in records] for records in closed] == [[], [], [], ["b"]]
    assert [message(record)["order_id"] for record in orders.rest()] == ["a", "c"]


def test_an_endless_order_is_handed_out_once_it_fills_the_memory() -> None:
    orders = OpenOrders("x", max_lines=3)
    closed = [record for line in range(1, 10) for record in added(orders, "a", line)]
    assert [len(message(record)["lines"]) for record in closed] == [4, 4]
    assert [len(message(record)["lines"]) for record in orders.rest()] == [1]


def test_lines_of_an_item_stay_apart_up_to_a_thousand_lines_and_are_merged_above() -> None:
    orders = OpenOrders("x")
    for line in range(1, 1_001):
        added(orders, "a", line)
    for line in range(1, 1_002):
        added(orders, "b", line, OrderLine(f"i{line % 2}", 1, float(line % 2)))
    small, large = orders.rest()
    assert len(message(small)["lines"]) == 1_000
    assert message(large)["lines"] == [
        {"item_id": "i1", "quantity": 501, "unit_price": 1.0},
        {"item_id": "i0", "quantity": 500, "unit_price": 0.0},
    ]


def test_an_order_of_more_than_a_thousand_items_is_left_to_be_refused() -> None:
    orders = OpenOrders("x")
    for line in range(1, 1_102):
        added(orders, "a", line, OrderLine(f"i{line}", 1, 1.0))
    (record,) = orders.rest()
    assert len(message(record)["lines"]) == 1_101


@given(
    st.lists(st.builds(OrderLine, st.sampled_from("abc"), st.integers(1, 9), st.integers(0, 9).map(float)))
)
def test_merging_keeps_quantities_and_amounts(lines: list[OrderLine]) -> None:
    result = merged(lines)
    assert [line.item_id for line in result] == list(dict.fromkeys(line.item_id for line in lines))
    assert sum(line.quantity for line in result) == sum(line.quantity for line in lines)
    amount = sum(line.quantity * line.unit_price for line in lines)
    assert abs(sum(line.quantity * line.unit_price for line in result) - amount) < 1e-9 * (1 + amount)
