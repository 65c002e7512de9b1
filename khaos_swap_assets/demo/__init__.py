"""The demo: the real jobs against the sandboxes, on a database of its own that nothing else can be."""
