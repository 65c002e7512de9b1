"""The switches and faults of the sandbox's Khaos side, and the one door through which any switch is set.

Belongs here: names, values and defaults of behaviours that the contract leaves unknown (khaos.md §5, §8.7, §15). Stays
out: what a switch does (the server or the ledger that reads it).
"""

from __future__ import annotations

from collections.abc import Mapping

from khaos_swap_assets.sandbox import khaos_packs, khaos_refusing, pack_stories, unpaid
from khaos_swap_assets.sandbox.state import STORE_FAULTS, STORE_SWITCHES, SWAP_FAULTS, SWAP_SWITCHES, State

KHAOS_SWITCHES: Mapping[str, tuple[str, ...]] = {
    "repeated_reference": ("accept", "refuse"),
    "note_reference": ("inherit", "none", "order"),
    "note_items": ("status", "export", "none"),
    "order_codes": ("shown", "hidden"),
    "unit_price": ("honour", "ignore", "net"),
    "source_pointer": ("SourceReference.SourceOrder", "SourceReturnReference.SourceOrder", "SourceReference"),
    "stock_moves": ("process", "issue"),
    "notes_issued": ("at_once", "later"),
    "note_signs": ("positive", "negative"),
    "multiref": ("off", "on"),
    "cdata": ("off", "on"),
    "fault_http": ("500", "200"),
    "fault_shape": ("A", "B"),
    "extra_tags": ("on", "off"),
    "zero_dates": ("on", "off"),
    "process_return": ("on", "off"),
    "cancel_order": ("off", "on"),
    "stock_push": ("off", "on"),
    **khaos_packs.SWITCHES,
    **khaos_refusing.SWITCHES,
}
"""Each switch of the Khaos side with its values; the first is the default."""

KHAOS_FAULTS = (
    "khaos_500",
    "khaos_429",
    "khaos_slow",
    "khaos_truncated",
    "khaos_fault_after_commit",
    "khaos_sale_in_window",
    "channel_lost_acknowledgement",
    "channel_response_lost",
    "channel_duplicate_pull",
    "channel_specific_ids",
    "channel_fault_after_commit",
)

ALL_SWITCHES: Mapping[str, tuple[str, ...]] = {**SWAP_SWITCHES, **KHAOS_SWITCHES, **STORE_SWITCHES}
ALL_FAULTS = (*SWAP_FAULTS, *KHAOS_FAULTS, *STORE_FAULTS)


def value(state: State, name: str) -> str:
    """The value of a Khaos switch, its default when nobody set it."""
    return state.switch(name, KHAOS_SWITCHES[name][0])


def is_on(state: State, name: str) -> bool:
    """Whether a switch of the values on and off is on."""
    return value(state, name) == "on"


def set_switches(state: State, wanted: Mapping[str, str]) -> list[str]:
    """Set every switch of ``wanted``, or none: returns one line for each unknown name or value."""
    problems = [line for name, chosen in wanted.items() if (line := _problem(name, chosen))]
    if not problems:
        state.switches.update(wanted)
        unpaid.obey(state.world, wanted)
        pack_stories.obey(state.world, wanted)
    return problems


def arm_faults(state: State, wanted: Mapping[str, int]) -> list[str]:
    """Arm every fault of ``wanted`` (name -> times, 0 disarms, -1 for ever), or none: returns one line a bad name."""
    problems = [
        f"{name}: no such fault; there are {', '.join(ALL_FAULTS)}" for name in wanted if name not in ALL_FAULTS
    ]
    if not problems:
        for name, times in wanted.items():
            state.faults.armed.pop(name, None)
            if times:
                state.faults.arm(name, times)
    return problems


def _problem(name: str, chosen: str) -> str:
    values = ALL_SWITCHES.get(name)
    if values is None:
        return f"{name}: no such switch; there are {', '.join(ALL_SWITCHES)}"
    return "" if chosen in values else f"{name}: must be one of {', '.join(values)}, not {chosen}"
