"""What the exporter makes a document of: inert HTML, chapters, title page."""
