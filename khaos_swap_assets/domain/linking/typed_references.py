"""Which returns a typed reference names: people write an RMA in other letters, with marks, words or digits alone.

Belongs here: reading what was typed as a reference. Stays out: whether the reference may be believed
(``linking.passes``): it is evidence, never proof.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

LEAST_DIGITS = 4
_BETWEEN_REFERENCES = re.compile(r"[\s,;/+&]+")
_MARKS = re.compile(r"[^0-9a-z]+")
_SPACE_WITHIN = re.compile(r"(?<!\d) | (?!\d)")
_DIGITS_AT_END = re.compile(r"[a-z]+(\d+)")
_WORDS = frozenset({"rma", "and", "return", "returns", "ref", "swap"})


class References:
    """All returns by the texts that name them; each text as it is wins over the same in another spelling."""

    def __init__(self, names_of: Mapping[str, Iterable[str]]) -> None:
        self._exact: defaultdict[str, set[str]] = defaultdict(set)
        self._loose: defaultdict[str, set[str]] = defaultdict(set)
        for return_id, names in names_of.items():
            for name in names:
                self._exact[name].add(return_id)
                for form in _forms(name):
                    self._loose[form].add(return_id)

    def named(self, ref: str) -> frozenset[str]:
        """Returns that a reference names: the whole text, else each of its parts if all of them name one."""
        text = ref.strip()
        whole = self._of(text)
        if whole or not text:
            return whole
        parts = [self._of(part) for part in _parts(text)]
        return frozenset(name for part in parts for name in part) if all(parts) else frozenset()

    def _of(self, text: str) -> frozenset[str]:
        if text in self._exact:
            return frozenset(self._exact[text])
        plain = _plain(text)
        found = self._loose.get(plain) or self._loose.get(plain.removeprefix("rma"))
        return frozenset(found or ())


def may_name(texts: Iterable[str]) -> Callable[[str], bool]:
    """Whether a return of some name may be meant by one of these texts, in whatever spelling."""
    exact = set(texts)
    loose = {form for text in exact for form in (_plain(text), _plain(text).removeprefix("rma"))}
    return lambda name: bool(exact) and (name in exact or not loose.isdisjoint(_forms(name)))


def texts_of(ref: str) -> set[str]:
    """The texts under which a typed reference may name a return: the whole, and each of its parts."""
    return {text for text in (ref.strip(), *_parts(ref)) if text}


def _parts(text: str) -> list[str]:
    return [part for part in _BETWEEN_REFERENCES.split(text.strip()) if part.casefold() not in _WORDS]


def is_nearly(ref: str, name: str) -> bool:
    """True for a name with one slip of the keyboard: a letter other, lost or too many, or two turned round."""
    typed, meant = _plain(ref), _plain(name)
    if abs(len(typed) - len(meant)) > 1 or min(len(typed), len(meant)) < LEAST_DIGITS:
        return False
    start = next((at for at, (one, two) in enumerate(zip(typed, meant, strict=False)) if one != two), len(meant))
    left, right = typed[start:], meant[start:]
    is_turned = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return is_turned or left[1:] == right[1:] or left[1:] == right or left == right[1:]


def _forms(name: str) -> set[str]:
    """The name without case and marks, and its digits alone where there are enough to tell it by."""
    plain = _plain(name)
    digits = _DIGITS_AT_END.fullmatch(plain)
    return {plain, digits[1]} if digits and len(digits[1]) >= LEAST_DIGITS else {plain} - {""}


def _plain(text: str) -> str:
    """Lower case without marks and spaces; between two digits they part numbers, so a space stays."""
    return _SPACE_WITHIN.sub("", _MARKS.sub(" ", text.casefold()).strip())
