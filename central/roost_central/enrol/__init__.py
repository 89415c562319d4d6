"""Enrolment: who may become a node, and the life of the identity that it then has."""
