"""The names of the watermarks by which a run tells what it came to.

Belongs here: the names, for all who set or read them. Stays out: setting and reading (``adapters.store.worklist``).
"""


def of(name: str, store: str) -> str:
    """A mark of one store: the first one's (an empty name) is the name alone."""
    return f"{name} of {store}" if store else name


SWAP = "swap/returns"
OPEN = "swap/open_returns"
TOLD_SWAP = "swap/quality_control"
"""To which moment of their arrival findings of the warehouse were written down to be told to Swap."""
CODES = "khaos/stock_codes"
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
