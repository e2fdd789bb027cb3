"""The story that is shown: a shop warms up, then two customers with the same past part."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter

import msgspec
from rich.console import Console
from rich.table import Table

from online_models.worlds import PRESETS, Act, Emitted, Storefront, diverging_twins, enact
from schemas.recommendations import Recommendation
from streams.commands.answers import in_words
from streams.showcase.figures import Figures
from streams.showcase.floors import Floor

RATE = 120.0
PACE_S = 0.05
SHOWN = 5
ANSWER_S = 5.0
WORDS = {"view": "looks at", "cart": "puts into the cart", "purchase": "buys", "rating": "rates"}


class Story:
    """Runs the shop and shows the twins.

    Parameters
    ----------
    floor : Floor
        Where events go.
    figures : Figures
        What is counted.
    console : Console
        Where it is shown.
    warm_up_s : float
        How long the shop runs before the twins act.
    """

    def __init__(self, floor: Floor, figures: Figures, console: Console, *, warm_up_s: float) -> None:
        self._floor, self._figures, self._console = floor, figures, console
        self._warm_up_s = warm_up_s
        self._clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        world = msgspec.structs.replace(PRESETS["demo"], events_per_s=RATE, start_at_ms=self._clock())
        self._shop = Storefront(world)
        self._answer = self._shop.answer()
        self._titles: dict[str, str] = {}
        self._events: Iterator[Emitted] = self._shop.events()
        self._number = 0

    async def tell(self) -> None:
        """Tell it from the catalogue to the figures."""
        await self._open_shop()
        plan = diverging_twins(self._answer, seed=1)
        first, second = plan.first, plan.second
        self._console.rule(f"{first} and {second} have done exactly the same so far")
        for act in plan.shared:
            for user in (first, second):
                self._say_act(user, act)
                await self._act(user, act)
            await self._run_shop(0.4)
        self._show_list(first)
        self._console.print(self._compared(first, second))
        self._console.rule("now their ways part")
        for one, other in zip(plan.first_then, plan.second_then, strict=False):
            for user, act in ((first, one), (second, other)):
                self._say_act(user, act)
                took = await self._act(user, act)
                self._console.print(f"  list refreshed {took:.0f} ms after the event")
                self._show_list(user)
            self._console.print(self._compared(first, second))
            await self._run_shop(0.4)
        await self._run_shop(2.0)
        self._console.print(self._figures.table())

    async def _open_shop(self) -> None:
        catalogue = list(self._shop.catalogue())
        for each in catalogue:
            if each.topic == "items":
                message = msgspec.json.decode(each.value)
                self._titles[message["item_id"]] = message["title"]
        await self._floor.send(catalogue)
        self._console.print(
            f"the shop has {len(self._titles)} items; it runs for {self._warm_up_s:.0f} s first"
        )
        shown = perf_counter()
        done = 0.0
        while done < self._warm_up_s:
            await self._run_shop(1.0)
            done += 1.0
            if perf_counter() - shown >= 3.0:
                shown = perf_counter()
                sent, lists = self._figures.sent, self._figures.lists
                self._console.print(f"  {sent:,} messages in, {lists:,} lists out", highlight=False)

    async def _run_shop(self, seconds: float) -> None:
        """Let the other customers act for a while."""
        for _ in range(max(1, round(seconds / PACE_S))):
            await self._floor.send(list(islice(self._events, round(RATE * PACE_S))))
            await self._floor.breathe(PACE_S)

    async def _act(self, user: str, act: Act) -> float:
        """Let a twin act, and wait for the list that answers; how long that took, in ms."""
        self._number += 1
        message = enact(act, self._answer, user_id=user, number=self._number, at_ms=self._clock())
        event_id = msgspec.json.decode(message.value)["event_id"]
        started = perf_counter()
        await self._floor.send([message])
        while perf_counter() - started < ANSWER_S:
            newest = self._figures.newest.get(user)
            if newest is not None and event_id in newest.caused_by:
                break
            await self._floor.breathe(0.002)
        return (perf_counter() - started) * 1000

    def _say_act(self, user: str, act: Act) -> None:
        kind, item = act
        self._console.print(f"[bold]{user}[/] {WORDS[kind]} {self._titles[item]}", highlight=False)

    def _show_list(self, user: str) -> None:
        newest = self._figures.newest.get(user)
        if newest is None:
            return
        table = Table("", "item", "score", "why", title=f"for {user}", title_justify="left")
        for item in newest.items[:SHOWN]:
            title = self._titles.get(item.item_id, item.item_id)
            table.add_row(str(item.rank), title, f"{item.score:.2f}", self._why(item.reasons[0]))
        self._console.print(table)

    def _why(self, reason: dict[str, object]) -> str:
        words = in_words(reason)
        item = reason.get("item_id")
        return words.replace(item, self._titles.get(item, item)) if isinstance(item, str) else words

    def _compared(self, first: str, second: str) -> str:
        one, other = (
            self._items(self._figures.newest.get(first)),
            self._items(self._figures.newest.get(second)),
        )
        if one == other:
            return f"→ the lists of {first} and {second} are the same"
        places = sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))
        return f"→ the lists of {first} and {second} differ in {places} of {max(len(one), len(other))} places"

    @staticmethod
    def _items(message: Recommendation | None) -> list[str]:
        return [item.item_id for item in message.items] if message else []
