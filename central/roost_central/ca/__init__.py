"""Certificates of a fleet: what each kind holds, who issues them, and how one is believed."""
