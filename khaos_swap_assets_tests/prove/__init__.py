"""The proofs at full size: one function a claim; ``python -m khaos_swap_assets_tests.prove``."""
