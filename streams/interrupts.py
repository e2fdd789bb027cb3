"""Signals that end a command: each of them like Ctrl-C, and none of them while it is cleaning up."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

_ASKED = (signal.SIGTERM, signal.SIGHUP)
_ENDING = (signal.SIGINT, *_ASKED)
_Result = TypeVar("_Result")
_Handler = Callable[[int, FrameType | None], object]


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the block as Ctrl-C does: by way of its clean-up."""
    with _handled(_ASKED, _interrupt):
        yield


def run(work: Coroutine[object, object, _Result]) -> _Result:
    """Run a coroutine as `asyncio.run` does; any of these signals cancels it, so that it ends in order.

    Raises
    ------
    KeyboardInterrupt
        It was cancelled so.
    """
    try:
        return asyncio.run(_cancelled_when_asked(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _cancelled_when_asked(work: Coroutine[object, object, _Result]) -> _Result:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def cancel(_signal: int, _frame: FrameType | None) -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    # SIGINT does so already.
    with _handled(_ASKED, cancel):
        return await work


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore these signals: what the block does takes seconds and has to be done to its end."""
    with _handled(_ENDING, signal.SIG_IGN):
        yield


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], handler: _Handler | signal.Handlers) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in numbers}
    # Who started this with a signal ignored, like nohup, wants it ignored.
    changed = [number for number, known in before.items() if known not in (signal.SIG_IGN, None)]
    for number in changed:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, before[number])
