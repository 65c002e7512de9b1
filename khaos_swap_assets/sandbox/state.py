"""What the sandbox's servers share while they run: the world, the switches, the armed faults and one lock.

Belongs here: how a running sandbox is held and how a fault is armed and used up. Stays out: what a switch or a fault
does (the server that reads it), HTTP, and where the world is kept on disk (``persistence``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from khaos_swap_assets.sandbox.world import World

UNTIL_DISARMED = -1

SWAP_SWITCHES: Mapping[str, tuple[str, ...]] = {
    "date_style": ("engb", "iso"),
    "null_style": ("N/A", "empty", "null"),
    "amount_style": ("number", "string"),
    "cost_basis": ("line", "unit"),
    "rma_processed": ("date", "word", "none"),
    "closed_unpaid": ("off", "on"),
    "over_max_page_size": ("clamp", "400"),
    "kept_shown": ("status", "tag", "line"),
    "error_shape": ("nest", "nested"),
    "qc_repeat": ("overwrite", "add"),
    "qc_auto_process": ("off", "on"),
    "sort": ("updated_asc", "created_desc", "random"),
    "slow_seconds": ("3", "0.05", "30"),
    "retry_after": ("1", "0", "5"),
}
"""Each switch of the Swap server with its values; the first is the default (swap.md §12.2)."""

SWAP_FAULTS = (
    "swap_429",
    "swap_500",
    "swap_slow",
    "swap_truncated",
    "swap_page_drift",
    "swap_duplicate",
    "swap_webhook_lost",
    "swap_webhook_repeated",
    "swap_webhook_expired",
    "shop_webhook_lost",
    "shop_webhook_repeated",
    "shop_webhook_forged",
)

STORE_SWITCHES: Mapping[str, tuple[str, ...]] = {"store_plan": ("components", "standard", "tiny")}
"""The switch of the storefront: how many query points a shop has."""

STORE_FAULTS = (
    *("store_throttled", "store_429", "store_500", "store_slow", "store_truncated", "store_page_drift"),
    *("store_payouts_denied", "store_payouts_mixed"),
)


@dataclass
class ArmedFaults:
    """Faults that wait to happen: name -> how many times more (``UNTIL_DISARMED`` = every time)."""

    armed: dict[str, int] = field(default_factory=dict)

    def arm(self, name: str, times: int = 1) -> None:
        """Let ``name`` happen ``times`` times; 0 disarms it."""
        self.armed[name] = times
        if times == 0:
            del self.armed[name]

    def take(self, name: str) -> bool:
        """True when ``name`` is due now; uses one of its times up."""
        left = self.armed.get(name, 0)
        if left > 0:
            self.arm(name, left - 1)
        return left != 0


@dataclass
class State:
    """One running sandbox. Hold ``lock`` for every read-and-change of ``world``, ``switches`` or ``faults``.

    ``store``: the store of Swap that it is, empty for the first; a further one has key, secret and faults of its own.
    """

    world: World
    switches: dict[str, str] = field(default_factory=dict)
    faults: ArmedFaults = field(default_factory=ArmedFaults)
    api_key: str = "demo-swap-key"
    webhook_secret: str = "whsk_demo_6b68616f732d737761702d73616e64626f78"  # noqa: S105
    shop_secret: str = "demo-storefront-webhook-secret"  # noqa: S105
    store_token: str = "demo-storefront-token"  # noqa: S105
    store: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def store_id(self) -> str:
        """Swap's id of its store."""
        return self.world.store_id_of(self.store)

    def of_store(self, store: str, api_key: str, webhook_secret: str) -> State:
        """A further store of the same world."""
        own = {"api_key": api_key, "webhook_secret": webhook_secret, "faults": ArmedFaults()}
        return replace(self, store=store, **own)  # type: ignore[arg-type]

    def switch(self, name: str, default: str) -> str:
        """The value of a switch, or ``default`` when nobody set it."""
        return self.switches.get(name, default)
