"""The Credit Note policy as a file.

Belongs here: reading the YAML file of decisions, and one clear line with everything that is wrong in it. Stays out:
what the decisions mean (``policy.decisions``). The file of the package holds the defaults.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy

DEFAULT_FILE = Path(__file__).parent.parent / "credit_note_policy.yaml"


def load_policy(path: Path | None = None) -> CreditNotePolicy:
    """The policy of a file, the defaults without one; a decision that the file leaves out is at its default.

    Raises ``SettingsError`` naming the file and every fault in it.
    """
    source = path or DEFAULT_FILE
    decisions = _read(source)
    try:
        return CreditNotePolicy(**decisions)
    except ValidationError as error:
        faults = "; ".join(_told(fault["loc"], fault["msg"]) for fault in error.errors())
        raise SettingsError(f"policy {source}: {faults}") from None


def _read(source: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"policy {source}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"policy {source}: is no YAML: {' '.join(str(error).split())}") from None
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise SettingsError(f"policy {source}: names of decisions with their choice are expected")
    return found


def _told(place: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, place))}: {message}"
