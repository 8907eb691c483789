"""From a folder of pictures to a library: finds, reads, encodes, indexes."""
