"""How long a text from outside may be, and which characters it may hold.

Belongs here: the bounds that make every value fit into a row, an index and a message. Stays out: which field is a code
and which are words (the readers of each source). A B-tree entry of PostgreSQL holds 2,704 bytes: three codes of this
length fit into one.
"""

from __future__ import annotations

import hashlib

LONGEST_KEY = 200
LONGEST_WORDS = 1_000
REPLACEMENT = "\ufffd"


def key(text: str) -> str:
    """A text that identifies, as it is. Raises ``ValueError`` when it is too long or damaged (NUL, lone surrogate)."""
    if len(text) > LONGEST_KEY:
        raise ValueError(f"is longer than {LONGEST_KEY} characters")
    if REPLACEMENT in text or "\0" in text or not _is_text(text):
        raise ValueError("holds characters that are no text")
    return text


def words(text: str, longest: int = LONGEST_WORDS) -> str:
    """Words for a person, of which any length may come: their beginning, U+FFFD for what is no text."""
    return _sound(text.strip()[:longest])


def subject(text: str) -> str:
    """What to call a row that could not be read: its name, or the beginning of a long one with its hash."""
    sound = _sound(text)
    if len(sound) <= LONGEST_KEY:
        return sound
    mark = hashlib.sha256(sound.encode()).hexdigest()[:16]
    return f"{sound[: LONGEST_KEY - 20]}… {mark}"


def _sound(text: str) -> str:
    return text.replace("\0", REPLACEMENT).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
