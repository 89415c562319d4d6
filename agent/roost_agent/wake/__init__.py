"""What tells the agent that hardware may have changed, and the child that looks."""
