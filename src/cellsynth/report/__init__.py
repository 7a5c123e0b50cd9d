"""From the folder of a benchmark to figures, overlays, and one page that explains them."""
