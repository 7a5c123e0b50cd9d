"""Scenes to images: one file per renderer, all behind `AbstractRenderer`."""
