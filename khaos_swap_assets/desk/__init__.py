"""The people's pages: queues, one exception, one return, and what a person may do there. Rendered here, no script."""
