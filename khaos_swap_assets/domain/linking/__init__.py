"""Which Credit Note, and which payment, belongs to which return.

``loose_notes`` is the way in for live and audit: what answers our own documents (``attribution``), then the ``passes``
over pairs (``evidence``), merged and split notes (``groups``) and equal returns (``twins``), and why not (``reasons``).
``witness`` is the guard that posting asks, ``refund_links`` is for payments (``payouts``: one for several returns),
``goodwill`` for what has no return on either side. ``windows`` holds all days, ``records`` what is read and answered.
"""
