"""Boxes that a TPM stands for: its maker's certificate, and what only that TPM can answer."""
