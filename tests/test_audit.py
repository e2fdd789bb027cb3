from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.audit import OWN, Verdict, main, verdict

GOOD: dict[str, Any] = {"name": "click", "version": "8.1", "vulns": []}
BAD: dict[str, Any] = {
    "name": "faust",
    "version": "1.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}, {"id": "CVE-2", "fix_versions": []}],
}
OURS = {"name": OWN, "skip_reason": "not on any index"}
UNKNOWN = {"name": "rich", "skip_reason": "Dependency not found"}


def judged(*packages: dict[str, Any]) -> Verdict:
    return verdict(msgspec.json.encode({"dependencies": packages, "fixes": []}))


def test_what_is_vulnerable_fails_and_is_named_with_the_version_that_mends_it() -> None:
    found = judged(GOOD, BAD, OURS)
    assert found.code == 1
    assert found.lines == [
        "faust 1.0: CVE-1, mended in 1.1",
        "faust 1.0: CVE-2, mended in no version yet",
        "2 packages audited, 2 vulnerabilities",
    ]


def test_what_is_well_passes_and_what_was_not_looked_at_is_named() -> None:
    assert judged(GOOD, OURS) == Verdict(0, ["1 packages audited, 0 vulnerabilities"])
    assert judged(GOOD, UNKNOWN).lines[-1] == "NOT AUDITED: rich"
    assert judged(BAD, UNKNOWN).code == 1


@pytest.mark.parametrize("report", [b"", b"error", b"{}", b"[]"])
def test_without_advisories_nothing_is_called_well(report: bytes) -> None:
    found = verdict(report)
    assert (found.code, len(found.lines)) == (0, 1)
    assert found.lines[0].startswith("NOT AUDITED")


def test_a_mirror_that_knows_no_advisory_is_not_taken_for_good_news() -> None:
    assert judged(OURS, UNKNOWN) == Verdict(0, ["NOT AUDITED: none of 1 packages is known where one can ask"])


def test_offline_the_audit_says_so_and_does_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("click==8.1.8\n")
    asked = ["--cache-dir", str(tmp_path / "cache"), "--disable-pip", "--no-deps", "--timeout", "2"]
    assert main([*asked, "--requirement", str(wanted)]) == 0
    assert "NOT AUDITED" in capsys.readouterr().err
