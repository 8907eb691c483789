"""Importers: collections of pictures from elsewhere, with what is said of them there."""
