"""Where returned goods went."""
