"""Payouts of payment providers: read or brought by a file, laid beside refunds and Credit Notes."""
