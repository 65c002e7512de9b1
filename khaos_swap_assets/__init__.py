"""Khaos Swap: Swap Commerce's returns and Khaos Control's Credit Notes in step, and the proof of it."""
