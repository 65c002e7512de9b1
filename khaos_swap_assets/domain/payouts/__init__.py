"""What a payment provider paid out, in which payout each refund went, and where every penny of a payout belongs."""
