"""Passwords of members as Argon2id hashes.

Belongs here: making a hash, judging one, and checking a password in the same time for a name that nobody has. Stays
out: who has which hash (``adapters.members``), and how often somebody may try (``adapters.store.door_attempts``).
"""

from __future__ import annotations

import os
import re
import threading

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MEMORY_KIB, PASSES, LANES = 65_536, 3, 4
"""RFC 9106, the second recommended choice: 64 MiB a check."""
LEAST_MEMORY_KIB = 7_168
MOST_MEMORY_KIB, MOST_PASSES = 1_048_576, 20
SHORTEST, LONGEST = 12, 1_000
AT_ONCE = 2
_HASH = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
)
_OF_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
_room = threading.BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """The hash of a password, under a salt of its own, as the members file takes it."""
    recipe = Argon2id(salt=os.urandom(16), length=32, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB)
    return recipe.derive_phc_encoded(password.encode())


def wrong_hash(text: str) -> str:
    """Why a text is no hash that we check; empty when it is one. A dear one would let anybody stop the machine."""
    found = _HASH.fullmatch(text)
    if not found:
        return "is no Argon2id hash: make one with khaos-swap users hash"
    memory, passes, lanes = map(int, found.groups()[:3])
    if memory < LEAST_MEMORY_KIB or not passes:
        return "is a hash too weak: make one with khaos-swap users hash"
    if not 8 * lanes <= memory <= MOST_MEMORY_KIB or passes > MOST_PASSES:
        return "is a hash too dear to check: make one with khaos-swap users hash"
    return ""


def wrong_password(password: str) -> str:
    """Why a new password is refused; empty when it is good."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters"
    if len(set(password)) < SHORTEST // 2:
        return f"a password has {SHORTEST // 2} different characters at least"
    return ""


def is_right(password: str, hash_: str | None) -> bool:
    """Whether a password is that of a hash. Without one it takes as long, and is false.

    A few are checked at once, whatever arrives: each takes the memory that its hash names.
    """
    with _room:
        try:
            Argon2id.verify_phc_encoded(password[:LONGEST].encode(errors="replace"), hash_ or _OF_NOBODY)
        except InvalidKey:
            return False
    return hash_ is not None and len(password) <= LONGEST
