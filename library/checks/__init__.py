"""What the doctor looks at, a subject a file."""
