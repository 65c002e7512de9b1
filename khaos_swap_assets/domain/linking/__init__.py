"""Which Credit Note, and which payment, belongs to which return."""
