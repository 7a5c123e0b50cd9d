"""What is taken out of pictures before it goes into a recipe: masks of samples, cells, instances.

A folder of its own beside `calibrate`, as both turn pictures into parts of recipes. It is no stage: nothing here is a
method that a recipe names, and `segment` lists every public file of its folder as one. It stands above the stages,
since it takes the thresholds and the watershed of `segment`, and below `pipeline`, which deals with files and options;
here are arrays alone.
"""
