"""The settings of the door: who signs in, for how long, and by whose account.

Belongs here: names, types and defaults of this group. Stays out: all other settings (``settings``), and the members
themselves, who stand in a file (``adapters.members``).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from khaos_swap_assets.adapters.settings_money import PREFIX


class DoorSettings(BaseSettings):
    """Sign-in to the desk and Dagster's UI. Without a members file there is none, and the UI is this machine's."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}DOOR_", hide_input_in_errors=True, env_ignore_empty=True)

    members_file: Path | None = Field(
        None, description="YAML file of the people who sign in; empty: nobody does, and the UI stays this machine's"
    )
    idle_minutes: int = Field(120, ge=5, le=1440, description="Minutes without a request until a sign-in ends")
    longest_hours: int = Field(12, ge=1, le=168, description="Hours until a sign-in ends, however busy")
