"""The audit from files: returns, orders and credit notes as files in, a reconciliation and a report as files out.

Belongs here: reading and refusing what people export, putting both sides together, and writing the five outputs. Stays
out: the rules of matching, waterfall and exceptions (``domain``), servers, databases and vendors.
"""
