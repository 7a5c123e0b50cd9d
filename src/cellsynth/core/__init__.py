"""The vocabulary that every stage shares; knows no file format and no network."""
