import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import PrivacySettings
from streams.errors import SettingsError
from streams.pseudonyms import LENGTH, MIN_KEY_CHARACTERS, Pseudonyms, pseudonyms_of
from streams.secrets import Hidden

KEY = "k" * 16 + "0123456789abcdef"
PSEUDONYMS = Pseudonyms(Hidden(KEY))
IDS = st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable())


def test_a_pseudonym_is_what_the_page_on_it_says_so_that_any_language_can_make_it() -> None:
    code = hmac.new(KEY.encode(), b"u:anna", hashlib.sha256).digest()
    assert PSEUDONYMS.user("anna") == base64.urlsafe_b64encode(code).decode()[:32]


@given(IDS, IDS)
def test_the_same_id_has_the_same_pseudonym_and_another_id_another(one: str, other: str) -> None:
    assert PSEUDONYMS.user(one) == Pseudonyms(Hidden(KEY)).user(one)
    assert (PSEUDONYMS.user(one) == PSEUDONYMS.user(other)) == (one == other)
    assert len(PSEUDONYMS.user(one)) == LENGTH


@given(IDS)
def test_customers_sessions_and_orders_of_the_same_name_are_not_the_same(name: str) -> None:
    assert len({PSEUDONYMS.user(name), PSEUDONYMS.session(name), PSEUDONYMS.order(name), name}) == 4


@given(IDS)
def test_without_a_key_ids_stay_as_they_are(name: str) -> None:
    plain = Pseudonyms()
    assert (plain.user(name), plain.session(name), plain.order(name)) == (name, name, name)
    assert (plain.on, plain.fingerprint) == (False, "")


def test_another_key_makes_other_pseudonyms_and_has_another_fingerprint_that_is_not_the_key() -> None:
    other = Pseudonyms(Hidden(KEY[::-1]))
    assert other.user("anna") != PSEUDONYMS.user("anna")
    assert other.fingerprint != PSEUDONYMS.fingerprint
    assert len(PSEUDONYMS.fingerprint) == 16
    assert PSEUDONYMS.fingerprint not in KEY and KEY not in PSEUDONYMS.fingerprint


def test_the_key_comes_from_a_file_and_a_short_one_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRESHREC_PRIVACY__PSEUDONYM_KEY", raising=False)
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    settings = PrivacySettings(pseudonym_key_file=str(path))
    assert pseudonyms_of(settings).user("anna") == PSEUDONYMS.user("anna")
    assert not pseudonyms_of(PrivacySettings()).on
    path.write_text("swordfish")
    with pytest.raises(SettingsError) as caught:
        pseudonyms_of(settings)
    assert f"9 characters, expected at least {MIN_KEY_CHARACTERS}" in str(caught.value)
    assert "privacy.pseudonym_key_file" in str(caught.value)
    assert "swordfish" not in str(caught.value)
