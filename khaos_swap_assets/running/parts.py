"""Which part of a house of many one machine has.

Belongs here: their names. Stays out: what each part runs (``house``, ``merchant``).
"""

from __future__ import annotations

from typing import Literal

Part = Literal["all", "core", "gateways", "workers"]
"""All of it; Dagster with the code servers; the gateways; who works on runs."""
WITH_PLACE = ("all", "core")
"""The parts of which there is one: they have the place of the house in each database."""
