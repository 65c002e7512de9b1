"""``khaos-swap preflight``: what each vendor can do, tried before anything runs."""
