"""The Credit Note: its draft, its posting and its witness."""
