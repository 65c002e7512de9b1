"""What the speed claims rest on; ``run.py`` runs them."""
