"""What is done to a return, stage by stage: reading both sides, matching, drafting, posting, reconciling."""
