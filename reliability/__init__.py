"""What is said of reliability and security, shown: faults injected, attacks tried, counted."""
