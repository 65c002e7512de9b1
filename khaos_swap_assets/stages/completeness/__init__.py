"""Whether everything arrived, and how long it took."""
