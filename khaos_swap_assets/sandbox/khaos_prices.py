"""What Khaos makes of a price: net, tax and gross of a line in whole pence.

Belongs here: the formulas of contracts/khaos.md §10, half-up to a penny per line, written for this ledger alone.
Stays out: which price a Credit Note takes (``khaos_returns``). ``vat_percent`` is a whole percentage.
"""

from __future__ import annotations


def half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` to the nearest whole, a half goes away from zero."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def net_of_gross(gross_pence: int, vat_percent: int) -> int:
    """Net of a line worked in gross mode."""
    return half_up(gross_pence * 100, 100 + vat_percent)


def net_mode_line(unit_gross_pence: int, quantity: int, vat_percent: int) -> tuple[int, int]:
    """(net, gross) of a line for a customer worked in net mode: the unit becomes net first, so gross may drift."""
    net = net_of_gross(unit_gross_pence, vat_percent) * quantity
    return net, net + half_up(net * vat_percent, 100)


def share(total_pence: int, part: int, whole: int) -> int:
    """The value of ``part`` of ``whole`` units that cost ``total_pence`` together."""
    return half_up(total_pence * part, whole)
