"""Sets of images with or without labels: plain folders read in, dataset folders written and read."""
