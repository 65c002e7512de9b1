"""The goods' way back: levels and moves."""
