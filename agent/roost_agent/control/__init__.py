"""The control socket: how a person on the node asks the resident agent, and tells it."""
