"""Stable pseudonyms in place of ids of people: HMAC-SHA256 under a key that the shop keeps.

Applied once, at ingest; everything behind it knows pseudonyms only. Without a key, ids stay as they are.
"""

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Final

from schemas.settings import PrivacySettings
from streams.errors import SettingsError
from streams.secrets import PSEUDONYM_KEY, Hidden, read_secret

MIN_KEY_CHARACTERS: Final = 32
"""Ids are easily guessed: all that keeps them from being tried one by one is the key."""

LENGTH: Final = 32
"""Characters of a pseudonym: 192 bits, far more than tell all customers of the world apart."""

REMEMBERED: Final = 50_000
"""Pseudonyms kept in memory: who was here lately comes back."""

_FINGERPRINT_BYTES: Final = 8


class Pseudonyms:
    """Gives the same pseudonym for the same id, for as long as the key is the same.

    Parameters
    ----------
    key : Hidden or None
        The secret; None leaves ids as they are.

    Examples
    --------
    >>> pseudonyms = Pseudonyms(Hidden("0123456789abcdef0123456789abcdef"))
    >>> pseudonyms.user("anna")
    'ZR0RFBGprhCKpI6OBm3BolCq6TaxgklB'
    >>> pseudonyms.session("anna") == pseudonyms.user("anna")
    False
    >>> Pseudonyms(None).user("anna")
    'anna'
    """

    def __init__(self, key: Hidden | None = None) -> None:
        self._key = None if key is None else key.encode()
        self._of = lru_cache(maxsize=REMEMBERED)(self._made)

    @property
    def on(self) -> bool:
        """Whether ids are replaced."""
        return self._key is not None

    @property
    def fingerprint(self) -> str:
        """What tells one key from another in a store's meta row; empty without a key."""
        if self._key is None:
            return ""
        return hashlib.blake2b(self._key, digest_size=_FINGERPRINT_BYTES, person=b"freshrec").hexdigest()

    def user(self, name: str) -> str:
        """Pseudonym of a customer."""
        return self._of("u:", name)

    def session(self, name: str) -> str:
        """Pseudonym of a session: whoever knows the cookie would know the guest."""
        return self._of("s:", name)

    def order(self, name: str) -> str:
        """Pseudonym of an order: the shop's own books say whose it is."""
        return self._of("o:", name)

    def _made(self, kind: str, name: str) -> str:
        # The kind goes in, so that an order is not taken for the customer of the same number.
        if self._key is None:
            return name
        return base64.urlsafe_b64encode(hmac.digest(self._key, (kind + name).encode(), "sha256"))[
            :LENGTH
        ].decode()


def pseudonyms_of(settings: PrivacySettings) -> Pseudonyms:
    """Read the key, if there is one.

    Raises
    ------
    SettingsError
        The key cannot be read or is too short.
    """
    key = read_secret(PSEUDONYM_KEY, settings.pseudonym_key_file)
    if key is not None and len(key) < MIN_KEY_CHARACTERS:
        raise SettingsError(
            f"the key of pseudonyms has {len(key)} characters, expected at least {MIN_KEY_CHARACTERS}: make "
            f"one with 'openssl rand -hex 32' and put it where {PSEUDONYM_KEY.setting} says"
        )
    return Pseudonyms(key)
