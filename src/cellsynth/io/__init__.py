"""Arrays and tables to bytes and back: one file per format."""
