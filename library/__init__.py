"""What the crawler writes and the site reads: SQLite, thumbnails and the vector index."""
