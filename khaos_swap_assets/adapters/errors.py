"""The errors of the outside world, one tree.

KhaosSwapError
├── SettingsError           a setting is missing or wrong: exit 2, before anything starts
├── StoreError              the database cannot be used: the line says why and what to do
└── VendorError             Swap or Khaos did not give what was asked
    ├── PermanentError      asking again will not help (4xx, fault, wrong shape)
    │   └── TooLargeError   the answer is larger than we read: a smaller question may help
    ├── TransientError      asking again may help (429, 5xx, timeout on a read)
    └── InDoubtError        a write may or may not have happened: read back before anything else

Belongs here: error types and nothing else.
"""

from __future__ import annotations


class KhaosSwapError(Exception):
    """Anything that we raise on purpose; its text is one clear line for a person and holds no secret."""


class SettingsError(KhaosSwapError):
    """A setting is missing or wrong."""


class StoreError(KhaosSwapError):
    """The database cannot be used as it is."""


class VendorError(KhaosSwapError):
    """Swap or Khaos did not give what was asked. ``place`` is its host and port where nothing could be sent there."""

    place: str = ""


class PermanentError(VendorError):
    """Asking again will not help."""


class TooLargeError(PermanentError):
    """The answer is larger than we read: a smaller question may help."""


class TransientError(VendorError):
    """Asking again may help."""


class InDoubtError(VendorError):
    """A write may or may not have happened."""
