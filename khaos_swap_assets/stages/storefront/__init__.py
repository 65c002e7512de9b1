"""The money: what the storefront paid back, and which return each payment belongs to."""
