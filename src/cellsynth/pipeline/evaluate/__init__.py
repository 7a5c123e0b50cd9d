"""Scores of files against reference files: labels, points, aligned images, sets of images."""
