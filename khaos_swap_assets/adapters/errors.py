"""The errors of the outside world, one tree.

KhaosSwapError              exit 2: the same again ends the same
├── SettingsError           a setting is missing or wrong, before anything starts
├── HouseError              exit 75: a port or a place is taken, a process does not stay up; a later start may go well
├── StoreError              exit 75: the database cannot be used; the line says why and what to do
│   ├── StoreAwayError      it is not there now; waiting may be enough
│   └── FencedError         it takes nothing more from this run, whose place another has
└── VendorError             Swap or Khaos did not give what was asked
    ├── PermanentError      asking again will not help (4xx, fault, wrong shape)
    │   └── TooLargeError   the answer is larger than we read: a smaller question may help
    ├── TransientError      exit 75: asking again may help (429, 5xx, timeout on a read)
    └── InDoubtError        a write may or may not have happened: read back before anything else

Belongs here: error types and nothing else.
"""

from __future__ import annotations

from typing import ClassVar

WRONG, LATER = 2, 75
"""Exit codes of a program: no restart mends it; a later start may go well (``EX_TEMPFAIL`` of sysexits.h)."""


class KhaosSwapError(Exception):
    """Anything that we raise on purpose; its text is one clear line for a person and holds no secret."""

    exit_code: ClassVar[int] = WRONG


class SettingsError(KhaosSwapError):
    """A setting is missing or wrong."""


class HouseError(KhaosSwapError):
    """The processes cannot run here and now."""

    exit_code = LATER


class StoreError(KhaosSwapError):
    """The database cannot be used as it is."""

    exit_code = LATER


class StoreAwayError(StoreError):
    """The database is not there now: starting, stopped, out of reach, full, or no primary."""


class FencedError(StoreError):
    """The run was cut off, and its place is another's: nothing that it writes counts any more."""


class VendorError(KhaosSwapError):
    """Swap or Khaos did not give what was asked. ``place`` is its host and port where nothing could be sent there."""

    place: str = ""


class PermanentError(VendorError):
    """Asking again will not help."""


class TooLargeError(PermanentError):
    """The answer is larger than we read: a smaller question may help."""


class TransientError(VendorError):
    """Asking again may help."""

    exit_code = LATER


class InDoubtError(VendorError):
    """A write may or may not have happened."""
