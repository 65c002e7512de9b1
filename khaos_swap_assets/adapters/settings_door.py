"""The settings of the door and of the desk behind it: who signs in, for how long, and how much a role may waive.

Belongs here: names, types and defaults of these groups. Stays out: all other settings (``settings``), and the members
themselves, who stand in a file (``adapters.members``).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from khaos_swap_assets.adapters.settings_money import PREFIX
from khaos_swap_assets.domain.desk.members import WaiverLimits


class DoorSettings(BaseSettings):
    """Sign-in to the desk and Dagster's UI. Without a members file there is none, and the UI is this machine's."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}DOOR_", hide_input_in_errors=True, env_ignore_empty=True)

    members_file: Path | None = Field(
        None, description="YAML file of the people who sign in; empty: nobody does, and the UI stays this machine's"
    )
    idle_minutes: int = Field(120, ge=5, le=1440, description="Minutes without a request until a sign-in ends")
    longest_hours: int = Field(12, ge=1, le=168, description="Hours until a sign-in ends, however busy")
    microsoft_issuer: str = Field(
        "", description="Issuer of your Microsoft directory, https://login.microsoftonline.com/TENANT/v2.0"
    )
    microsoft_client_id: str = Field("", description="Application (client) id; empty: no Microsoft accounts")
    microsoft_client_secret: SecretStr = Field(SecretStr(""), description="Secret of that application")
    google_issuer: str = Field("https://accounts.google.com", description="Issuer of Google accounts")
    google_client_id: str = Field("", description="OAuth client id; empty: no Google accounts")
    google_client_secret: SecretStr = Field(SecretStr(""), description="Secret of that client")


class DeskSettings(BaseSettings):
    """How much a member may waive alone at the desk; what is more waits for a second person who may grant it."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}DESK_", hide_input_in_errors=True, env_ignore_empty=True)

    finance_waives_pounds: int = Field(
        100, ge=0, le=1_000_000, description="Most that finance waives alone, an exception, whole pounds"
    )
    approver_waives_pounds: int = Field(
        1000, ge=0, le=1_000_000, description="Most that a finance approver waives alone, an exception, whole pounds"
    )

    @property
    def waiver_limits(self) -> WaiverLimits:
        """The limits by role."""
        return WaiverLimits(
            {"finance": self.finance_waives_pounds * 100, "finance_approver": self.approver_waives_pounds * 100}
        )
