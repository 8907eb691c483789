"""Queries to ranked hits. Writes nothing but perceptual hashes that older pictures lack."""
