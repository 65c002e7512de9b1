"""XML from outside: bounded before a tree is built, and one damaged value costs no more than itself.

Belongs here: encodings, characters that XML forbids, how many elements and how deep. Stays out: envelopes and
documents (``envelope``). No DTD and no entity is ever honoured.
"""

from __future__ import annotations

import re

from lxml import etree

from khaos_swap_assets.adapters.errors import PermanentError

MOST_MARKS = 800_000
"""Elements, attributes and references that one answer may hold; each takes up to 250 bytes of memory."""
REPLACEMENT = "\ufffd"
ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "windows-1252"})
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:(\d{1,12})|x([0-9a-fA-F]{1,9}));")


class TooManyError(ValueError):
    """More elements and attributes than any honest answer holds: a smaller question may help."""


def decoded(body: bytes) -> str:
    """The text of an answer; bytes that are no text become U+FFFD. ``PermanentError`` for another encoding."""
    if body.startswith(WIDE_MARKS):
        return body.decode("utf-16", "replace")
    found = _DECLARED.match(body)
    name = found[1].decode().lower() if found else "utf-8"
    if name not in ENCODINGS:
        raise PermanentError(f"the answer is written in {name}, which we do not read")
    return body.decode(name, "replace")


def bare(text: str) -> str:
    """The text without its declaration, which speaks of bytes that are gone, and without blanks at its ends."""
    return _DECLARATION.sub("", text).strip()


def tree(text: str) -> etree._Element:
    """The root of a document without declaration. What XML forbids within a text becomes U+FFFD, which no key may hold.

    Raises ``TooManyError``, ``PermanentError`` for a DTD, ``etree.XMLSyntaxError`` (also beyond 256 levels).
    """
    if sum(map(text.count, ("<", "=", "&#"))) > MOST_MARKS:
        raise TooManyError(f"the answer holds more than {MOST_MARKS} elements and attributes")
    root = etree.fromstring(_REFERENCE.sub(_allowed, _FORBIDDEN.sub(REPLACEMENT, text)).encode(), _parser())
    if root.getroottree().docinfo.internalDTD is not None:
        raise PermanentError("the answer carries a DTD, which no honest answer does; it was not read")
    return root


def _allowed(found: re.Match[str]) -> str:
    number = int(found[1]) if found[1] else int(found[2], 16)
    return found[0] if number <= 0x10FFFF and not _FORBIDDEN.match(chr(number)) else REPLACEMENT


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
