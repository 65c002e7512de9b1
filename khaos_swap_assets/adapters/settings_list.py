"""Every variable of the environment, as a list and as the text of ``.env.example``.

Belongs here: names, defaults and meanings read off ``settings``. Stays out: values that somebody set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from khaos_swap_assets.adapters.settings import NESTED, PREFIX, Settings

GROUPS: Mapping[str, tuple[str, type[BaseSettings]]] = {
    "General": (PREFIX, Settings),
    **{name.capitalize(): (f"{PREFIX}{name.upper()}_", kind) for name, kind in NESTED.items()},
}
HEAD = """\
# Settings of Khaos Swap with their defaults. Copy this file to .env and take the # off each line that you set.
# Variables of the environment win over .env. The demo and the tests read neither.
# Made by: khaos-swap settings --env
"""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment, its default as text, and what it means."""

    name: str
    default: str
    meaning: str


def variables() -> list[Variable]:
    """Every variable, in the order of the settings."""
    return [variable for group in GROUPS for variable in _of(group)]


def env_example() -> str:
    """The text of ``.env.example``."""
    parts = [HEAD]
    for group in GROUPS:
        parts.append(f"\n# ---- {group} ----\n")
        parts += [f"\n# {one.meaning}\n# {one.name}={one.default}\n" for one in _of(group)]
    return "".join(parts)


def _of(group: str) -> list[Variable]:
    prefix, kind = GROUPS[group]
    return [
        Variable(f"{prefix}{name.upper()}", _text(field.default), field.description or "")
        for name, field in kind.model_fields.items()
        if name not in NESTED
    ]


def _text(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)
