"""The HTTP service: what other systems send us and fetch from us."""
