"""Queries to ranked hits. Reads the library, writes nothing."""
