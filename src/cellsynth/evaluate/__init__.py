"""Scores of segmentations, and what may be concluded from them."""
