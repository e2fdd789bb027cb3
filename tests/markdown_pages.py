"""Pages of the project as a reader sees them: links, headings, commands and what stands in code."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Page(NamedTuple):
    """One Markdown file, or a section of it."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def prose(self) -> str:
        """The text without its fenced code."""
        return _FENCE.sub("", self.text)

    def fenced(self, language: str | None = None) -> list[str]:
        """Lines in fenced code of a language, or of all."""
        blocks = [code for kind, code in _FENCE.findall(self.text) if language in (None, kind)]
        return [
            line.strip() for code in blocks for line in code.replace("\\\n", " ").splitlines() if line.strip()
        ]

    @property
    def spans(self) -> list[str]:
        """Inline code."""
        return _SPAN.findall(self.prose)

    @property
    def links(self) -> list[tuple[str, str]]:
        """Text and target of each link, in order."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What a link can name after #, as GitHub makes it from headings."""
        seen, found = Counter[str](), set()
        for heading in _HEADING.findall(self.prose):
            slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        return found

    def section(self, heading: str) -> "Page":
        """The part below a heading of the second level."""
        _, _, rest = self.text.partition(f"\n## {heading}\n")
        if not rest:
            raise AssertionError(f"{self.name} has no section {heading!r}")
        return Page(self.path, rest.split("\n## ")[0])


def read(path: Path) -> Page:
    """Read a page."""
    return Page(path, path.read_text())


def pages() -> list[Page]:
    """Every page of the project."""
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
    return [read(path) for path in (*(ROOT / name for name in names), *sorted((ROOT / "docs").rglob("*.md")))]


def words_of(line: str) -> list[str]:
    """Words of a shell line up to its first operator; comments are left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(takewhile(lambda word: not set(word) <= set("();<>|&"), lexer))


def calls(lines: Iterable[str], program: str) -> Iterator[list[str]]:
    """Arguments of each line that calls a program, whatever variables are set in front of it."""
    begins = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:\S*/)?{program}(?: |$)")
    for line in lines:
        if begins.match(line):
            words = dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words_of(line))
            yield list(words)[1:]
