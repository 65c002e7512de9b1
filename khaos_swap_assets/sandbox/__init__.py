"""Stand-ins for both vendors that keep state and misbehave on request; nothing here knows the product."""
