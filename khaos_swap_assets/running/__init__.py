"""The running installation: its processes, its database, its health."""
