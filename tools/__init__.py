"""What maintains the project: set-up, screenshots, models."""
