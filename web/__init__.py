"""The site: pages, JSON API and pictures. It reads; what it shows was made by the crawler."""
