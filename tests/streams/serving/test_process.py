"""What a process that answers may take over from the one before it."""

import os
from pathlib import Path

from online_models.memory_store import MemoryStore
from schemas.state import ViewRow
from streams.cluster import TOMBSTONE_MS
from streams.followed import FollowedTopic
from streams.serving.process import ALIVE, forget_if_stale, warm_up
from streams.serving.served_views import ServedViews
from tests.streams.serving.parts import SETTINGS, a_shop

NOW_S = 2_000_000_000.0
KEPT_S = TOMBSTONE_MS / 2000


def views_in(folder: Path, *, alive_s: float | None) -> Path:
    (folder / "recommendations").mkdir(parents=True)
    if alive_s is not None:
        (folder / ALIVE).touch()
        os.utime(folder / ALIVE, (alive_s, alive_s))
    return folder


def test_views_that_were_followed_lately_are_taken_over(tmp_path: Path) -> None:
    folder = views_in(tmp_path / "serve-0", alive_s=NOW_S - KEPT_S + 1)
    assert not forget_if_stale(folder, now_s=NOW_S)
    assert folder.exists()
    assert not forget_if_stale(tmp_path / "none", now_s=NOW_S)


def test_views_that_may_have_missed_a_deletion_are_read_anew(tmp_path: Path) -> None:
    for number, alive_s in enumerate((NOW_S - KEPT_S, None)):
        folder = views_in(tmp_path / f"serve-{number}", alive_s=alive_s)
        assert forget_if_stale(folder, now_s=NOW_S)
        assert not folder.exists()


def test_warming_up_asks_for_a_list_and_needs_nothing_to_be_known() -> None:
    followed: FollowedTopic[object] = FollowedTopic(MemoryStore(ViewRow), object, cache_rows=10)
    empty = ServedViews({"popular": followed}, SETTINGS)
    warm_up(empty, SETTINGS)
    assert empty.changes == 0
    shop = a_shop()
    changes = shop.views.changes
    warm_up(shop.views, SETTINGS)
    assert shop.views.changes == changes
