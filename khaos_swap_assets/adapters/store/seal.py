"""Sealing of personal data: names and addresses are stored only so.

Belongs here: sealing and unsealing with the key of ``KHAOS_SWAP_SEAL_KEY``. Stays out: when a sealed party is erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import SettingsError

ADVICE = "make one with: khaos-swap new-key"


class Sealer:
    """Seals with the first key; opens with any of them, so ``new,old`` is how a key is changed."""

    def __init__(self, key: SecretStr) -> None:
        """Take a Fernet key or a comma list of them. Raises ``SettingsError`` for one that is missing or malformed."""
        keys = [part.strip() for part in key.get_secret_value().split(",") if part.strip()]
        if not keys:
            raise SettingsError(f"KHAOS_SWAP_SEAL_KEY is not set; {ADVICE}")
        try:
            self._fernet = MultiFernet([Fernet(part) for part in keys])
        except ValueError:
            raise SettingsError(f"KHAOS_SWAP_SEAL_KEY is no Fernet key (32 bytes in base64); {ADVICE}") from None

    def seal(self, mapping: Mapping[str, Any]) -> bytes:
        """The mapping as JSON, encrypted and signed; never the same bytes twice."""
        return self._fernet.encrypt(json.dumps(dict(mapping), ensure_ascii=False).encode())

    def unseal(self, sealed: bytes) -> dict[str, Any]:
        """What ``seal`` was given. Raises ``SettingsError`` when no key of ours sealed it."""
        try:
            opened: dict[str, Any] = json.loads(self._fernet.decrypt(bytes(sealed)))
        except InvalidToken:
            raise SettingsError(
                "KHAOS_SWAP_SEAL_KEY does not open what is stored; put the former key after it: new,old"
            ) from None
        return opened

    @staticmethod
    def new_key() -> str:
        """A fresh key, fit for ``KHAOS_SWAP_SEAL_KEY``."""
        return Fernet.generate_key().decode()
