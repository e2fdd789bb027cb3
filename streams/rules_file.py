"""The file of a shop's own rules: read at the start, and again whenever it changes.

A file that cannot be used is refused as a whole: at the start that is an error, later the rules before hold
on. Reads one file, writes nothing.
"""

import asyncio
import hashlib
import logging
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from online_models.business_rules import NO_RULES, BusinessRules
from schemas.business_rules import MOST_RULES, BusinessRule, fault_of
from streams.errors import SettingsError

LOOK_S: Final = 1.0
"""So often a running process looks whether the file has changed."""

_TABLE: Final = "rule"
_HEAD: Final = re.compile(rf"^\s*\[\[\s*{_TABLE}\s*\]\]")
logger = logging.getLogger(__name__)


def parse_rules(text: str, name: str) -> BusinessRules:
    """Read the text of a file called `name`.

    Raises
    ------
    SettingsError
        It cannot be used; the message names the file, the rule with its line, and what was expected.

    Examples
    --------
    >>> text = 'rule = [{name = "sale", action = "boost", tags = ["sale"], factor = 1.5}]'
    >>> parse_rules(text, "rules.toml").rules[0].factor
    1.5
    """
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{name} is not TOML: {error}. Mend it; nothing of it is used") from error
    unknown = sorted(tables.keys() - {_TABLE})
    given = tables.get(_TABLE, [])
    if unknown or not isinstance(given, list):
        seen = f"has {unknown[0]!r}" if unknown else f"has [{_TABLE}]"
        raise SettingsError(f"{name} {seen}; expected [[{_TABLE}]] for each rule, and nothing else")
    if len(given) > MOST_RULES:
        raise SettingsError(f"{name} has {len(given)} rules; at most {MOST_RULES} are accepted")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _HEAD.match(line)]
    rules: list[BusinessRule] = []
    for number, table in enumerate(given):
        rule = _rule(table)
        if isinstance(rule, BusinessRule) and any(rule.name == other.name for other in rules):
            rule = f"another rule has the name {rule.name!r} already"
        if not isinstance(rule, BusinessRule):
            place = f"line {lines[number]}" if number < len(lines) else f"number {number + 1}"
            called = table.get("name") if isinstance(table, dict) else None
            raise SettingsError(
                f"{name}, {place}: rule {called or '(without a name)'}: {rule}. "
                "Mend it; nothing of the file is used"
            )
        rules.append(rule)
    return BusinessRules(rules)


def _rule(table: Any) -> BusinessRule | str:
    """A rule, or what is wrong with it."""
    if isinstance(table, dict):
        table = {key: x.isoformat() if isinstance(x, date) else x for key, x in table.items()}
    try:
        rule = msgspec.convert(table, BusinessRule)
    except msgspec.ValidationError as error:
        return str(error)
    return fault_of(rule) or rule


class RulesTold(Protocol):
    """Takes the rules in force, and whether the file has a fault."""

    def __call__(self, rules: BusinessRules, /, *, faulty: bool) -> None: ...


def _tell_nobody(_rules: BusinessRules, *, faulty: bool) -> None:
    """Leave what is told to the log."""


class RulesFile:
    """The rules in force, and the file that they come from.

    Parameters
    ----------
    path : str
        The file; "" for no rules at all.
    told : RulesTold
        Called with the rules in force and whether the file has a fault, at the start and after each change.

    Raises
    ------
    SettingsError
        The file cannot be used.
    """

    def __init__(self, path: str, told: RulesTold | None = None) -> None:
        self._path, self._told = Path(path) if path else None, told or _tell_nobody
        self.rules, self.version = NO_RULES, 0
        self._seen = b""
        self._state: tuple[int, int, int] | None = None
        if self._path is not None:
            self._state = _state_of(self._path)
            self.rules = self._read(self._path)
        self._told(self.rules, faulty=False)

    @property
    def named(self) -> bool:
        """Whether there is a file at all."""
        return self._path is not None

    def look(self) -> bool:
        """Read the file again if it has changed; whether other rules are in force now.

        A fault is logged once, when it appears.
        """
        if self._path is None:
            return False
        state = _state_of(self._path)
        if state == self._state:
            return False
        self._state, seen = state, self._seen
        try:
            rules = self._read(self._path)
        except SettingsError as error:
            logger.error("%s; the %d rules before stay in force", error, len(self.rules.rules))
            self._told(self.rules, faulty=True)
            return False
        self._told(rules, faulty=False)
        if seen == self._seen:
            return False
        self.rules, self.version = rules, self.version + 1
        logger.info("%d business rules of %s are in force", len(rules.rules), self._path)
        return True

    async def watch(self) -> None:
        """Look again and again, for ever if there is a file; reading is done beside the event loop."""
        while self._path is not None:
            await asyncio.sleep(LOOK_S)
            await asyncio.to_thread(self.look)

    def _read(self, path: Path) -> BusinessRules:
        try:
            raw = path.read_bytes()
            rules = parse_rules(raw.decode(), str(path))
        except OSError as error:
            why = error.strerror or str(error)
            raise SettingsError(
                f"recommend.rules_file = {str(path)!r} cannot be read: {why}. Name a file that is there"
            ) from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"{path} is not UTF-8: {error}. Mend it; nothing of it is used") from error
        self._seen = hashlib.blake2b(raw).digest()
        return rules


def _state_of(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file; None if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
