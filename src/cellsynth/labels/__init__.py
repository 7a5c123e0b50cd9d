"""Random scenes: one file per generator, all behind `AbstractLabelGenerator`."""
