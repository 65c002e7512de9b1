"""Amounts, VAT, periods and tolerances."""
