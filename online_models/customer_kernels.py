"""Compiled loops that find the customers who share items with somebody, and what these have besides."""

import numpy as np
from numpy.typing import NDArray

from online_models.compilation import compiled
from online_models.session_kernels import BEFORE, DISTINCT, LENGTH, NONE, Ints, Items

Floats = NDArray[np.float64]
NOT_WANTED = 2**62


@compiled(
    "int64(int32[:,::1], int32[:,::1], int64[::1], int32[::1], int32[::1], float64[::1], int64, int64,"
    " int64[::1], int64, float64[::1], int64[::1])"
)
def sharing(
    items: Items,
    links: Items,
    heads: Ints,
    customers: Items,
    mine: Items,
    weights: Floats,
    own: int,
    ring: int,
    met: Ints,
    base: int,
    shared: Floats,
    found: Ints,
) -> int:
    """Find who else was in the newest places of some items, with the weights of the items shared.

    Parameters
    ----------
    items, links, heads
        Of a session index.
    customers : array
        Whose the session in each row is.
    mine, weights : array
        Distinct items, -1 for those that are not known, and their weights.
    own : int
        The customer who is left out, -1 for none.
    ring : int
        Places of an item that are looked at.
    met : array
        For each customer the item, counted from `base`, they were last met with; less than `base` before.
    shared : array
        Receives the sum of weights of each customer that is found.
    found : array
        Receives the customers in the order in which they are met; no more are found once it is full.

    Returns
    -------
    int
        How many were found.
    """
    width, count = items.shape[1], 0
    for n in range(len(mine)):
        if mine[n] < 0:
            continue
        place = heads[mine[n]]
        for _ in range(ring):
            if place == NONE:
                break
            customer = customers[place // width]
            place = links[place, BEFORE]
            if customer == own or met[customer] == base + n:
                continue
            if met[customer] < base:
                if count == len(found):
                    continue
                found[count] = customer
                shared[customer] = 0.0
                count += 1
            met[customer] = base + n
            shared[customer] += weights[n]
    return count


@compiled(
    "void(int64[:,::1], int64[::1], int64[::1], int64, int64, int64[::1], float64[::1], float64,"
    " float64[::1])"
)
def cosines(
    about: Ints,
    before: Ints,
    newest_of: Ints,
    newest: int,
    rows: int,
    found: Ints,
    shared: Floats,
    norm: float,
    cosine: Floats,
) -> None:
    """Compute shared / sqrt(norm * size), size being the distinct items of so many newest rows, added up."""
    capacity = len(about)
    for n in range(len(found)):
        session, size, left = newest_of[found[n]], 0, rows
        while session > newest - capacity and session != NONE and left > 0:
            size += about[session % capacity, DISTINCT]
            session = before[session % capacity]
            left -= 1
        cosine[n] = shared[found[n]] / np.sqrt(norm * max(size, 1))


@compiled(
    "int64(int32[:,::1], int64[:,::1], int64[::1], int64[::1], int64, int64, int64[::1], float64[::1],"
    " int64[::1], int64, float64[:,::1], int64[::1])"
)
def had_by(
    items: Items,
    about: Ints,
    before: Ints,
    newest_of: Ints,
    newest: int,
    rows: int,
    near: Ints,
    cosine: Floats,
    met: Ints,
    base: int,
    sums: Floats,
    found: Ints,
) -> int:
    """Add up, for each item of some customers, how near those are who have it, and how many.

    Parameters
    ----------
    about, before, newest_of, newest
        Sessions, and which belong together.
    rows : int
        Newest rows of a customer that are looked at.
    near, cosine : array
        Customers, and how near each of them is.
    met : array
        For each item the customer, counted from `base`, who was last found to have it; less before, and more
        for an item that is not wanted.
    sums : array, shape (items, 2)
        Receives the sum of cosines and the number of customers of each item that is found.
    found : array
        Receives the items in the order in which they are met; no more are found once it is full.

    Returns
    -------
    int
        How many were found.
    """
    capacity, count = len(about), 0
    for n in range(len(near)):
        session, left = newest_of[near[n]], rows
        while session > newest - capacity and session != NONE and left > 0:
            row = session % capacity
            for place in range(about[row, LENGTH] - 1, -1, -1):
                item = items[row, place]
                if item < 0 or met[item] >= base + n:
                    continue
                if met[item] < base:
                    if count == len(found):
                        continue
                    found[count] = item
                    sums[item, 0] = sums[item, 1] = 0.0
                    count += 1
                met[item] = base + n
                sums[item, 0] += cosine[n]
                sums[item, 1] += 1.0
            session = before[row]
            left -= 1
    return count


@compiled(
    "int64(int32[:,::1], int32[:,::1], int64[:,::1], int64[::1], int32[::1], int64[::1], int64[::1], int64,"
    " int32[::1], float64[::1], int64, int64, int64, int64[::1], float64[::1], int64[::1], int64[::1],"
    " float64[:,::1], int64[::1], int64, int64, int32[::1], int64, int64[::1], float64[:,::1])"
)
def alike(
    items: Items,
    links: Items,
    about: Ints,
    heads: Ints,
    customers: Items,
    before: Ints,
    newest_of: Ints,
    newest: int,
    mine: Items,
    weights: Floats,
    own: int,
    ring: int,
    rows: int,
    met: Ints,
    shared: Floats,
    people: Ints,
    items_met: Ints,
    sums: Floats,
    had: Ints,
    base: int,
    neighbours: int,
    unwanted: Items,
    fewest: int,
    numbers: Ints,
    said: Floats,
) -> int:
    """Find the customers nearest to somebody, and the items that speak most for being had by them.

    Parameters
    ----------
    items, links, about, heads, customers, before, newest_of, newest
        Of a session index and its chains of customers.
    mine, weights, own, ring, met, shared, people
        As for `sharing`, `people` being what it finds; met with numbers from `base` on.
    rows, items_met, sums, had
        As for `had_by`, `had` being what it finds; likewise.
    neighbours : int
        Customers who are asked.
    unwanted : array
        Items that are not wanted; -1 for those that are not known.
    fewest : int
        Items that fewer of them have are left out.
    numbers : array
        Receives the items, best first, ties in the order in which they are met; its length is the bound.
    said : array, shape (numbers, 3)
        Receives the share of the neighbours' cosines, how many have the item, and their mean cosine.

    Returns
    -------
    int
        How many items there are.
    """
    count = sharing(items, links, heads, customers, mine, weights, own, ring, met, base, shared, people)
    if count == 0:
        return 0
    cosine = np.empty(count)
    norm = np.dot(weights, weights)
    cosines(about, before, newest_of, newest, rows, people[:count], shared, norm, cosine)
    # Of customers who are equally near, those who are met first are asked: they acted last.
    near = np.argsort(-cosine, kind="mergesort")[:neighbours]
    cosine = cosine[near]
    for n in range(len(unwanted)):
        if unwanted[n] >= 0:
            items_met[unwanted[n]] = NOT_WANTED
    found = had_by(
        items, about, before, newest_of, newest, rows, people[near], cosine, items_met, base, sums, had
    )
    for n in range(len(unwanted)):
        if unwanted[n] >= 0:
            items_met[unwanted[n]] = 0
    kept = 0
    worth = np.empty(found)
    for n in range(found):
        if sums[had[n], 1] >= fewest:
            had[kept] = had[n]
            worth[kept] = -sums[had[n], 0]
            kept += 1
    worth, most = worth[:kept], min(kept, len(numbers))
    if most == 0:
        return 0
    places = np.flatnonzero(worth <= np.partition(worth, most - 1)[most - 1])
    order = places[np.argsort(worth[places], kind="mergesort")]
    total = cosine.sum()
    for n in range(most):
        item = had[order[n]]
        numbers[n] = item
        said[n, 0] = sums[item, 0] / total
        said[n, 1] = sums[item, 1]
        said[n, 2] = sums[item, 0] / sums[item, 1]
    return most
