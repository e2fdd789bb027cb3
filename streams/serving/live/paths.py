"""The paths of the page as data. They are no part of the API, and may change with the page."""

from typing import Final

from schemas.page import (
    CustomerNow,
    ExperimentsNow,
    FlowNews,
    FoundItems,
    ItemNow,
    QualityNow,
    RefusedRecords,
    SegmentMap,
    SystemNow,
)
from streams.serving.routes import K, Parameter, Route

PREFIX: Final = "/page"

SEARCH: Final = Parameter("q", "id", "Words of a title, or the beginning of an id.")

STREAMS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path=f"{PREFIX}/flow",
        answers="flow",
        says="What came through, each second.",
        explains="The seconds that are kept, then each one as it ends.",
        answer=FlowNews,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/customers/{{id}}",
        answers="customer",
        says="A customer, whenever something of them changes.",
        explains="List, segment and history, with the titles of items.",
        answer=CustomerNow,
        parameters=(K,),
    ),
)
"""Answered by events until who asks goes away."""

ANSWERS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path=f"{PREFIX}/items",
        answers="search",
        says="Items by words of their titles or the beginning of their ids.",
        explains="Without words, what is popular.",
        answer=FoundItems,
        parameters=(SEARCH,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/items/{{id}}",
        answers="item",
        says="An item: what is similar, and its rules.",
        explains="With the titles of all items.",
        answer=ItemNow,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/segments",
        answers="segments",
        says="All segments on a plane.",
        explains="The first two principal components of their centres.",
        answer=SegmentMap,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/refused",
        answers="refused",
        says="The newest refused records.",
        explains="Without their text.",
        answer=RefusedRecords,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/quality",
        answers="quality",
        says="How good lists and models were over the last hour.",
        explains="From a worker's metrics.",
        answer=QualityNow,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/experiments",
        answers="experiments",
        says="What came of the variants of each experiment.",
        explains="In figures, and in the words of `freshrec experiments`.",
        answer=ExperimentsNow,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/system",
        answers="system",
        says="How a worker and this server are.",
        explains="From a worker's metrics, and from what is held here.",
        answer=SystemNow,
    ),
)
