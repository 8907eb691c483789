"""Builds models/starter and measures it: see README.md here."""
