"""What the columns mean of the tables about goods: levels, moves and custody.

Belongs here: words about columns, as in ``columns``, which shows them. Stays out: all other tables.
"""

from __future__ import annotations

from collections.abc import Mapping

GOODS: Mapping[str, Mapping[str, str]] = {
    "khaos.stock_levels": {
        "site_id": "Khaos's id of the site",
        "available": "Units available at the site",
        "is_as_told": "True where Khaos pushed the level, false where we read it",
        "observed_at": "When the level was seen, UTC",
    },
    "recon.custody": {
        "place": "Where the units are: in_transit, received, at_the_bench, inspected, available, available_unseen, "
        "b_grade, non_saleable, by_hand, kept, lost or written_off",
        "units": "Units of the line that are there; below zero where Khaos holds more than anybody found",
        "value_pence": "What they were refunded at, pence",
        "since": "Since when some are there, UTC",
    },
    "recon.quality_calls": {
        "inspection_id": "The warehouse's id of the finding",
        "state": "planned, sent, accepted, unknown, refused or withdrawn",
        "asked": "What Swap is told: units, SKU and condition",
        "said": "Swap's words, or why it was not told",
        "planned_at": "When it was written down to be told, UTC",
        "sent_at": "When the call was made, UTC; empty until then",
        "look_at": "When a finding that waits is looked at next, UTC",
        "settled_at": "When a person waived it, UTC",
    },
    "recon.stock_moves": {
        "disposition": "sellable, damaged or missing",
        "quantity": "Units that went this way",
        "carried_by": "Reference or code of the document that moves them; empty until there is one",
        "state": "due, offered or confirmed",
        "evidence": "What shows that they moved",
        "level_verdict": "By the stock level: pending, confirmed, failed or cannot_tell; empty before",
        "level_before": "Units available before",
        "level_before_at": "When that level was seen, UTC",
        "level_after": "Units available after",
        "level_after_at": "When that level was seen, UTC",
        "due_at": "When it became due, UTC",
    },
}
