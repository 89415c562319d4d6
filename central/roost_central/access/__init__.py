"""Who may do what, and the record of who did: decisions without I/O."""
