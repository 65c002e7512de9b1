"""The watermarks by which a run tells what it came to, and how deep a vendor is read while there is none.

Belongs here: their names, for all who set or read them, and the one depth that every source shares. Stays out: setting
and reading (``adapters.store.worklist``), windows of later reads (each stage's ``sync``).
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.domain.money.periods import LONDON


def of(name: str, store: str) -> str:
    """A mark of one store: the first one's (an empty name) is the name alone."""
    return f"{name} of {store}" if store else name


SWAP = "swap/returns"
OPEN = "swap/open_returns"
TOLD_SWAP = "swap/quality_control"
"""To which moment of their arrival findings of the warehouse were written down to be told to Swap."""
CODES = "khaos/stock_codes"
CATALOGUE = "khaos/stock_codes/whole"
"""The last reading after which Khaos's whole catalogue was known; it stays where the catalogue is read anew."""
DOCUMENTS = "khaos/documents"
MONEY = "storefront/refunds"
PAYOUTS = "storefront/payouts"
PAYOUTS_FROM = "storefront/payouts_from"
"""The moment to which the first reading of payouts went back: what was paid since is in one of them."""
PAYOUTS_COMPARED = "payouts/compared"
"""The last day on which refunds were looked for in payouts."""
WITNESS = "khaos/witness"
"""The last round of posting that Khaos did not refuse to be searched for."""
JUDGED = "recon/exceptions"
"""The last run that judged to its end."""
FORESEEN = "recon/foreseen"
"""The last look at all that may come back."""
VARIANTS = "storefront/variants"


def first_read_from(settings: Settings, now: datetime) -> datetime:
    """The moment (UTC) to which a first read goes back: the first month, and never less than the nightly sweep."""
    first = datetime.combine(settings.period_start, time(), LONDON).astimezone(UTC)
    return min(first, now - timedelta(days=settings.swap.wide_sweep_days))
