"""Hooks of the documentation site: pages that lie beside docs/ become pages of it, other links plain text.

`mkdocs.yml` names this module. What a page of the repository links to outside of docs/, a results file or a
folder, is not on the site; it is named there instead.
"""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages beside docs/, and where they are on the site."""

_LINK = re.compile(r"(?<!\!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
_BY_LABEL = re.compile(r"\[(?P<text>[^\]]+)\]\[(?P<label>[^\]]+)\]")
_DEFINED = re.compile(r"^\[(?P<label>[^\]]+)\]: (?P<target>\S+)$", re.MULTILINE)


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages beside docs/, and decision records to the navigation."""
    from mkdocs.structure.files import File  # noqa: PLC0415  # there where the site is built, not where it is tested

    for source, name in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    records = sorted(
        each.src_uri
        for each in files.documentation_pages()
        if each.src_uri.startswith("decisions/") and each.name != "index"
    )
    for entry in config.nav or ():
        if "Decisions" in entry:
            entry["Decisions"] = ["decisions/README.md", *records]
    return files


def on_page_markdown(markdown: str, page: "Page", config: "MkDocsConfig", files: "Files") -> str:  # noqa: ARG001  # mkdocs calls it so
    """Let links lead to the site's own pages, and name what is not on it."""
    here = repository_path(page.file.src_uri)

    def linked(found: re.Match[str]) -> str:
        text, target, anchor = found["text"], found["target"], found["anchor"] or ""
        if re.match(r"[a-z]+:", target):
            return found[0]
        there = normpath(str(PurePosixPath(here).parent / target))
        name = site_path(there)
        if name is None or files.get_file_from_path(name) is None:
            return text if text.strip("`") == there else f"{text} (`{there}`)"
        return f"[{text}]({relpath(name, str(PurePosixPath(page.file.src_uri).parent))}{anchor})"

    targets = {found["label"]: found["target"] for found in _DEFINED.finditer(markdown)}
    inline = _BY_LABEL.sub(lambda found: _inline(found, targets), _DEFINED.sub("", markdown))
    return _LINK.sub(linked, inline)


def _inline(found: re.Match[str], targets: Mapping[str, str]) -> str:
    target = targets.get(found["label"])
    return found[0] if target is None else f"[{found['text']}]({target})"


def repository_path(on_site: str) -> str:
    """Return where a page of the site is in the repository.

    Examples
    --------
    >>> repository_path("index.md"), repository_path("decisions/0001-x.md")
    ('README.md', 'docs/decisions/0001-x.md')
    """
    return next((source for source, name in PAGES.items() if name == on_site), f"docs/{on_site}")


def site_path(in_repository: str) -> str | None:
    """Return where a page of the repository is on the site; None where it is no page of it.

    Examples
    --------
    >>> site_path("SECURITY.md"), site_path("docs/faq.md"), site_path("benchmarks/results")
    ('security.md', 'faq.md', None)
    """
    if in_repository in PAGES:
        return PAGES[in_repository]
    return in_repository.removeprefix("docs/") if in_repository.startswith("docs/") else None
