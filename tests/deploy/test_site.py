"""The documentation site, as `make docs` builds it: all pages, and every link leads somewhere."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
BESIDE = 4
"""Pages of the site that do not lie in docs/."""

pytestmark = pytest.mark.slow


class Parsed(HTMLParser):
    """Where a page leads, what it loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name in {"id", "name"}:
                self.anchors.add(value)
            if (tag, name) == ("a", "href"):
                self.links.append(value)
            if (tag, name) in {("script", "src"), ("img", "src"), ("link", "href")}:
                self.loads.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Parsed]:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {page.resolve(): Parsed(page.read_text()) for page in sorted(folder.rglob("*.html"))}


def test_every_page_is_on_the_site(site: dict[Path, Parsed]) -> None:
    pages = [page for page in site if page.name != "404.html"]
    assert len(pages) == len(list((ROOT / "docs").rglob("*.md"))) + BESIDE


def test_every_link_leads_to_a_page_and_to_a_place_in_it(site: dict[Path, Parsed]) -> None:
    dead, followed = [], 0
    for page, parsed in site.items():
        if page.name == "404.html":
            continue
        for link in parsed.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            there = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            there = there / "index.html" if there.is_dir() else there
            known = there in site and (not parts.fragment or unquote(parts.fragment) in site[there].anchors)
            followed += 1
            if not known and not (there.is_file() and there not in site):
                dead.append((page.name, link))
    assert dead == []
    assert followed > 500


def test_nothing_is_loaded_from_elsewhere(site: dict[Path, Parsed]) -> None:
    loaded = {each for parsed in site.values() for each in parsed.loads}
    assert len(loaded) > 5
    assert [each for each in loaded if urlsplit(each).netloc] == []
