"""From unlabelled images to a recipe whose images have the same statistics."""
