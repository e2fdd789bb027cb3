"""`make audit`: known vulnerabilities of what is installed, as pip-audit finds them.

Fails for what is vulnerable. Where the advisories can't be asked (no network, or a mirror that has none)
it says so and doesn't fail: that nothing was found is then no news, and is not told as such.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

OWN = "freshrec"


class Verdict(msgspec.Struct, frozen=True):
    """An exit code, and what to say."""

    code: int
    lines: list[str]


def verdict(report: bytes) -> Verdict:
    """Judge a report of `pip-audit --format json`; one that is none means that nobody could be asked."""
    try:
        packages: list[dict[str, Any]] = msgspec.json.decode(report)["dependencies"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return Verdict(0, ["NOT AUDITED: the advisories cannot be reached from here; audit where they can"])
    others = [each for each in packages if each["name"] != OWN]
    skipped = [each["name"] for each in others if "skip_reason" in each]
    found = [
        f"{each['name']} {each['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for each in others
        for fault in each.get("vulns", [])
    ]
    asked = len(others) - len(skipped)
    if not asked:
        return Verdict(0, [f"NOT AUDITED: none of {len(others)} packages is known where one can ask"])
    lines = [*found, f"{asked} packages audited, {len(found)} vulnerabilities"]
    if skipped:
        lines.append(f"NOT AUDITED: {', '.join(skipped)}")
    return Verdict(1 if found else 0, lines)


def main(arguments: Sequence[str]) -> int:
    """Run pip-audit on this environment and judge what it says."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # a command of our own
    judged = verdict(done.stdout)
    sys.stderr.write("".join(f"{line}\n" for line in judged.lines))
    return judged.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
