"""The keys that a browser holds: which cookies, how they are kept, and the token that a form must bring.

Belongs here: names and flags of cookies, new keys, tokens. Stays out: what is behind a key (``door.keeping``).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection
from starlette.responses import Response

KEY_BYTES = 32
LONGEST_KEY = 64


def new_key() -> str:
    """A key that nobody guesses: 256 bits of the system's chance."""
    return secrets.token_urlsafe(KEY_BYTES)


def csrf_of(key: str) -> str:
    """The token that forms of a key's holder bring; it tells nothing of the key."""
    return hmac.new(key.encode(), b"khaos-swap form", hashlib.sha256).hexdigest()


def is_csrf(key: str, given: str) -> bool:
    """Whether a form's token is the one of a key; without a key none is."""
    return bool(key) & hmac.compare_digest(given.encode("utf-8", "replace"), csrf_of(key).encode())


@dataclass(frozen=True)
class Cookies:
    """``is_secure`` behind an https address: the browser then sends them over TLS only, and to this host only."""

    is_secure: bool

    @property
    def session(self) -> str:
        """Name of the cookie of a signed-in browser."""
        return self._name("session")

    @property
    def visit(self) -> str:
        """Name of the cookie of a browser that is about to sign in."""
        return self._name("visit")

    @property
    def account(self) -> str:
        """Name of the cookie of a browser that went to a provider of accounts."""
        return self._name("account")

    def read(self, connection: HTTPConnection, name: str) -> str:
        """The key that a browser sent under a name; empty where it sent none or what can be none of ours."""
        found = connection.cookies.get(name, "")
        return found if len(found) <= LONGEST_KEY and found.isascii() else ""

    def hand_out(self, answer: Response, name: str, key: str) -> None:
        """Give a key to the browser until it is closed, out of reach of scripts.

        A session's key comes along when somebody follows a link to us; what is only for our own forms does not.
        """
        same_site: Literal["lax", "strict"] = "strict" if name == self.visit else "lax"
        answer.set_cookie(name, key, path="/", secure=self.is_secure, httponly=True, samesite=same_site)

    def take_back(self, answer: Response, name: str) -> None:
        """Let the browser forget a key."""
        answer.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def _name(self, what: str) -> str:
        return f"__Host-khaos-swap-{what}" if self.is_secure else f"khaos-swap-{what}"
