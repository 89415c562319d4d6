"""When the agent says that it lives: pure timing; what a beat holds is the driver's matter."""
