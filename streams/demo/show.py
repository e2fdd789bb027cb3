"""A demo from the opening of the shop to the figures: the storefront, the script and the screen in one loop.

What is slow is waited for with a deadline; a part that ends or fails ends the demo.
"""

import asyncio
from time import perf_counter, time_ns

import msgspec

from online_models.worlds import PRESETS, Storefront, StorefrontSettings, diverging_twins
from schemas.events import Item
from streams.demo.figures import Figures, figures_of, percentile
from streams.demo.house import Counts, House
from streams.demo.screen import Frame, Screen
from streams.demo.script import script
from streams.demo.stage import Stage
from streams.demo.traffic import Traffic
from streams.demo.watcher import Watcher
from streams.errors import FreshrecError

TICK_S = 0.01
FRAME_S = 0.2
PATIENCE_S = 30.0
_RECENT = 200
_POLL_S = 0.1
_CALM_S = 0.4
_SEED = 1


class Show:
    """One demo in a house.

    Parameters
    ----------
    house : House
        Where events go and lists come from.
    screen : Screen
        Where it is told.
    seconds : float
        How long the shop is open.
    events_per_s : float
        Rate of the simulated customers.
    """

    def __init__(self, house: House, screen: Screen, *, seconds: float, events_per_s: float) -> None:
        self._house, self._screen, self._seconds = house, screen, seconds
        self._shop = msgspec.structs.replace(PRESETS["demo"], events_per_s=events_per_s)
        answer = Storefront(self._shop).answer()
        plan = diverging_twins(answer, _SEED)
        twins = (plan.first, plan.second)
        others = tuple(name for name in self._shop.named_customers if name not in answer.scripted)
        self._watcher = Watcher(house.settings, (*twins, *others), answer.scripted)
        self._stage = Stage(house, self._watcher, answer, script(plan, others, seconds))
        self._twins, self._others = twins, others
        self._catalogue = 0

    async def run(self) -> Figures:
        """Play it; the figures.

        Raises
        ------
        FreshrecError
            A part ended or failed, or didn't take in what was sent.
        """
        async with self._house.connected(self._watcher):
            await self._fill_catalogue()
            with self._screen.story():
                seconds = await self._play()
            self._screen.doing("waiting for the last lists")
            counts = await self._settled(self._watcher.sent)
            self._screen.done("the shop is closed; every event has been taken in")
        return figures_of(
            self._watcher,
            counts,
            catalogue=self._catalogue,
            seconds=seconds,
            parting=self._stage.parting,
        )

    async def _fill_catalogue(self) -> None:
        self._screen.doing("sending the shop's items and customers")
        decode = msgspec.json.Decoder(Item).decode
        for record in Storefront(_opened(self._shop)).catalogue():
            await self._house.send(record)
            self._catalogue += 1
            if record.topic == "items":
                item = decode(record.value)
                self._watcher.titles[item.item_id] = item.title or item.item_id
        await self._settled(0)
        self._screen.done(f"{len(self._watcher.titles)} items and {self._shop.customers} customers are known")

    async def _settled(self, events: int) -> Counts:
        """Wait until all that was sent has been taken in, and no more lists come."""
        deadline = perf_counter() + PATIENCE_S
        lists, calm_since = -1, 0.0
        while True:
            self._house.check()
            counts = await self._house.counts()
            if lists != self._watcher.lists:
                lists, calm_since = self._watcher.lists, perf_counter()
            taken = counts.catalogue >= self._catalogue and counts.accepted + counts.rejected >= events
            if taken and perf_counter() - calm_since >= _CALM_S:
                return counts
            if perf_counter() > deadline:
                raise FreshrecError(
                    f"{events} events and {self._catalogue} messages were sent, but after {PATIENCE_S:.0f} s "
                    f"only {counts.accepted + counts.rejected} and {counts.catalogue} have been taken in"
                )
            await asyncio.sleep(_POLL_S)

    async def _play(self) -> float:
        opened = _opened(self._shop)
        traffic = Traffic(Storefront(opened).events())
        started, drawn = perf_counter(), 0.0
        while (elapsed := perf_counter() - started) < self._seconds or not self._stage.finished:
            now_ms = opened.start_at_ms + int(1000 * elapsed)
            for record in traffic.due(now_ms) if elapsed < self._seconds else ():
                self._watcher.sending(record, perf_counter())
                await self._house.send(record)
            told = await self._stage.step(elapsed, now_ms)
            if told is not None or elapsed - drawn >= FRAME_S:
                self._screen.frame(self._frame(elapsed))
                self._house.check()
                drawn = elapsed
            if told is not None:
                self._screen.told(told)
            await asyncio.sleep(TICK_S)
        self._screen.frame(self._frame(self._seconds))
        return perf_counter() - started

    def _frame(self, elapsed_s: float) -> Frame:
        watcher, stage = self._watcher, self._stage
        names = (*self._twins, *self._others) if stage.begun else self._others
        return Frame(
            phase=stage.phase,
            elapsed_s=min(elapsed_s, self._seconds),
            seconds=self._seconds,
            sent=watcher.sent,
            lists=watcher.lists,
            rejected=watcher.rejected.total(),
            latency_ms=percentile(sorted(watcher.latencies_ms[-_RECENT:]), 0.5),
            cards=tuple(watcher.cards[name] for name in names),
            verdict=stage.verdict,
        )


def _opened(shop: StorefrontSettings) -> StorefrontSettings:
    """The same shop, opening now."""
    return msgspec.structs.replace(shop, start_at_ms=time_ns() // 1_000_000)
