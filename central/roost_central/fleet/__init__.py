"""The fleet as a whole: who belongs to it, and the one language it is searched with."""
