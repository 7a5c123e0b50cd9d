"""Image to instance labels: one file per method, all behind `AbstractSegmenter`."""
