"""Garbage collection of a process that holds a lot for long."""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50


def collect_rarely() -> None:
    """Leave what start-up made out of garbage collection, and collect the rest less often.

    Rows and events are freed by their counts; what is looked for are cycles, which hardly anything makes,
    and each look at all that is held stops the process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
