"""What the pages say is so: generated ones are current, links lead somewhere, commands and targets exist.

That freshrec.toml is what `freshrec config --toml` prints is tested with the settings.
"""

import os
import re
import shlex
import subprocess
import sys

import click
import pytest

from schemas.checks import Rejected
from schemas.codec import decode
from schemas.events import TOPIC_OF_TYPE
from schemas.settings import Settings
from streams.cli import freshrec
from streams.commands.manual import contexts
from streams.formats import FORMATS
from streams.settings_fields import FIELDS
from streams.topology import STAGE_BY_NAME, TOPIC_BY_NAME
from tests.markdown_pages import ROOT, Page, calls, pages, read

PAGES = pages()
README = read(ROOT / "README.md")
GENERATED = {
    target: command
    for page in PAGES
    for command, target in re.findall(r"`([^`]+) > (docs/[a-z]+\.md)`", page.text)
}
LINES = {
    f"{page.name}: {shlex.join(arguments)}": arguments
    for page in PAGES
    for arguments in calls(page.fenced(), "freshrec")
}
MENTIONS = {
    shlex.join(arguments): arguments
    for page in PAGES
    for arguments in calls(page.spans, "freshrec")
    if arguments
}
MAKE_CALLS = {
    shlex.join(arguments): arguments
    for page in PAGES
    for arguments in calls([*page.fenced(), *page.spans], "make")
}
PLACES_OF_TEXT = ("schemas", "online_models", "streams", "tests", "benchmarks", "deploy", "docs", ".ci")
MACHINE_PATH = re.compile(r"(?<!\w)/(?:home|work|root|Users)/\w")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|(?<!\w)maven\.org|repo\d?\.maven\.|npmjs\.org|anaconda\.org|ghcr\.io"
)
"""Hosts that packages come from: pip's and jgo's own configuration names them, so that a mirror is enough."""


def named(page: Page) -> str:
    return page.name


every_page = pytest.mark.parametrize("page", PAGES, ids=named)


def test_the_pages_that_a_program_writes_are_these() -> None:
    assert set(GENERATED) == {
        "docs/commands.md",
        "docs/metrics.md",
        "docs/models.md",
        "docs/reliability.md",
        "docs/topology.md",
    }


@pytest.mark.parametrize("target", sorted(GENERATED))
def test_a_generated_page_is_what_its_command_prints_on_any_terminal(target: str) -> None:
    program, *arguments = shlex.split(GENERATED[target])
    module = {"python": [], "freshrec": ["-m", "streams.cli"]}[program]
    done = subprocess.run(  # noqa: S603  # a command of our own
        [sys.executable, *module, *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "40"},
        capture_output=True,
        check=True,
    )
    assert (ROOT / target).read_bytes() == done.stdout, f"run: {GENERATED[target]} > {target}"


def test_every_option_of_every_command_is_explained_in_a_sentence() -> None:
    options = {
        f"{ctx.command_path} {option.opts[0]}": option.help or ""
        for ctx in contexts()
        for option in ctx.command.get_params(ctx)
        if isinstance(option, click.Option)
    }
    assert len(options) > 50
    assert [name for name, told in options.items() if not told.endswith(".")] == []


def test_every_command_has_its_section_in_the_page_with_each_of_its_options() -> None:
    page = read(ROOT / "docs" / "commands.md")
    sections = re.split(r"^##+ (.+)$", page.text, flags=re.MULTILINE)[1:]
    told = dict(zip(sections[::2], sections[1::2], strict=True))
    assert list(told) == [ctx.command_path for ctx in contexts()]
    assert "freshrec kafka up" in told
    for ctx in contexts():
        shown = [param for param in ctx.command.get_params(ctx) if not getattr(param, "hidden", False)]
        for name in (name for param in shown for name in param.opts if name.startswith("-")):
            assert re.search(rf"{name}\b", told[ctx.command_path]), (ctx.command_path, name)


@every_page
def test_every_link_leads_to_a_file_of_the_project_and_to_a_heading_in_it(page: Page) -> None:
    assert dead_links(page) == []


def dead_links(page: Page) -> list[str]:
    local = [target for _, target in page.links if not re.match(r"[a-z]+:", target)]
    return [target for target in local if not leads_somewhere(page, target)]


def leads_somewhere(page: Page, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = (page.path.parent / name).resolve() if name else page.path
    if not path.is_file() or not path.is_relative_to(ROOT):
        return False
    return not anchor or anchor in (page if path == page.path else read(path)).anchors


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = Page(
        ROOT / "docs" / "topology.md",
        "# One `title`, twice\n\n## One title, twice\n"
        "[a](metrics.md) [b](gone.md) [c](#one-title-twice-1) [d](#gone) [e](../README.md#more)\n"
        "[f](../README.md#less) [g](https://example.org/gone) [h](..)\n```sh\n[i](in-code.md)\n```\n",
    )
    assert page.anchors == {"one-title-twice", "one-title-twice-1"}
    assert dead_links(page) == ["gone.md", "#gone", "../README.md#less", ".."]


def parsed(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Parse a command line to its end; the names of the commands that would run."""
    names: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(click.Command, "invoke", lambda command, _ctx: names.append(f"{command.name}"))
        freshrec.main(arguments, prog_name="freshrec", standalone_mode=False)
    return names


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_of_the_pages_parses(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = LINES[line]
    assert parsed(arguments, monkeypatch)[:2] == ["freshrec", arguments[0]]


@pytest.mark.parametrize("mention", MENTIONS)
def test_a_command_in_the_midst_of_a_sentence_exists_with_its_options(
    mention: str, capsys: pytest.CaptureFixture[str]
) -> None:
    freshrec.main([*MENTIONS[mention], "--help"], prog_name="freshrec", standalone_mode=False)
    assert capsys.readouterr().out.startswith(f"Usage: freshrec {MENTIONS[mention][0]}")


def test_all_that_the_readme_tells_to_type_is_among_them() -> None:
    typed = README.fenced("sh")
    listed = [line for line in LINES if line.startswith("README.md: ")]
    assert len(listed) == len(typed) - len(list(calls(typed, "make"))) >= 10
    assert "README.md: kafka up --port 9092" in listed
    assert "config" in MENTIONS


@pytest.mark.parametrize(
    "wrong", ["no-such-command", "worker --no-such-option", "kafka stop", "simulate --events some", "replay"]
)
def test_a_command_line_that_is_wrong_does_not_parse(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(click.UsageError):
        parsed(wrong.split(), monkeypatch)


def make(*arguments: str) -> str:
    """Output of make as it is called from a shell, also while these tests are run by make."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(  # noqa: S603  # a command of our own
        ["make", *arguments],  # noqa: S607  # found by PATH, as a shell would
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,  # found by PATH, as a shell would
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("line", MAKE_CALLS)
def test_a_make_target_of_the_pages_exists_and_calls_commands_that_parse(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = make("--dry-run", *MAKE_CALLS[line]).splitlines()
    assert said
    for arguments in calls(said, "freshrec"):
        assert parsed(arguments, monkeypatch)[0] == "freshrec"


def test_the_make_targets_of_the_pages_are_found() -> None:
    assert {"demo", "test", "setup", "check", "help"} <= set(MAKE_CALLS)
    assert "--no-kafka" in make("--dry-run", *MAKE_CALLS["demo KAFKA=none"])


def test_make_help_lists_every_target_that_has_an_explanation() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    explained = dict(re.findall(r"^([^\s#:]+):[^=].*?## *(.+)$", "\n".join(lines), re.MULTILINE))
    assert len(explained) == sum("##" in line and line[0] not in "\t#" for line in lines if line)
    listed = re.findall(r"^  make (\S+) +(.+)$", make("help"), re.MULTILINE)
    assert listed == list(explained.items())


def test_the_table_of_topics_in_the_readme_is_that_of_the_topology() -> None:
    rows = [line.strip("|").split("|") for line in README.text.splitlines() if line.startswith("| `")]
    told = {
        name: key.strip().replace("_id", "") or "none"
        for row in rows
        for names, key in (row[:2], row[2:])
        for name in re.findall(r"`([^`]+)`", names)
    }
    public = {topic.name: topic.key for topic in TOPIC_BY_NAME.values() if topic.kind in ("entry", "output")}
    assert told == public


def test_the_picture_in_the_readme_shows_every_stage_and_nothing_that_is_not_there() -> None:
    (picture,) = re.findall(r"```text\n(.*?)```", README.section("The picture").text, re.DOTALL)
    words = set(re.findall(r"[a-z-]+", picture)) - {"views"}
    assert words <= set(STAGE_BY_NAME) | set(TOPIC_BY_NAME)
    assert words >= set(STAGE_BY_NAME)


def test_the_messages_in_the_readme_are_accepted() -> None:
    lines = README.section("Topics and messages").fenced("json")
    topics = [TOPIC_OF_TYPE[kind] for line in lines for kind in re.findall(r'"type":"(\w+)"', line)]
    assert topics == ["browses", "purchases", "ratings"]
    for topic, line in zip(topics, lines, strict=True):
        assert not isinstance(decode(topic, line.encode(), Settings().ingest), Rejected), line


def test_the_readme_names_every_format_of_files() -> None:
    (others,) = (span for span in README.spans if span.startswith("--format "))
    assert {"jsonl", *others.removeprefix("--format ").split("|")} == set(FORMATS)


def test_the_settings_file_tells_above_each_setting_what_it_is_and_what_it_takes() -> None:
    lines = (ROOT / "freshrec.toml").read_text().splitlines()
    section, told = "", {}
    for above, line in zip(["", *lines], lines, strict=False):
        section = line.strip("[]") if line.startswith("[") else section
        if found := re.match(r"#(\w+) = ", line):
            told[f"{section}.{found[1]}"] = above
    assert told == {key: f"# {field.description} ({field.expected})" for key, field in FIELDS.items()}


def test_every_decision_record_is_listed_by_its_title_and_in_order() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    titles = [(path.read_text().splitlines()[0].removeprefix("# "), path.name) for path in records]
    assert read(folder / "README.md").links == titles
    assert [name[:4] for _, name in titles] == [f"{number:04}" for number in range(1, len(titles) + 1)]


def test_no_text_of_the_project_names_a_folder_of_somebodys_machine_or_a_package_registry() -> None:
    within = [path for place in PLACES_OF_TEXT for path in (ROOT / place).rglob("*") if path.is_file()]
    files = [*within, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile"]
    contents = {path: path.read_bytes() for path in files if "__pycache__" not in path.parts}
    texts = {path: raw.decode() for path, raw in contents.items() if b"\0" not in raw}
    assert len(texts) > 200
    assert [
        f"{path.relative_to(ROOT)}: {fault}" for path, text in texts.items() for fault in faults(text)
    ] == []


def faults(text: str) -> list[str]:
    return [found[0] for pattern in (MACHINE_PATH, REGISTRY) for found in pattern.finditer(text)]


def test_such_names_are_seen_where_they_are_and_not_where_they_are_not() -> None:
    folders = ["/".join(("", name, "anna")) for name in ("home", "work", "root", "Users")]
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("repo1", "maven", "org"))]
    assert [len(faults(f'"{name}/x"')) for name in (*folders, *hosts)] == [1] * 6
    assert faults("https://example.org/" + "home/x ~/.config 'at/work/x' $HOME/x") == []
