"""Architectures of networks: tensors in, tensors out; no config, no files.

The only layer that imports a learning framework at the top of a module. Whoever needs a network imports it in the body
of a function.
"""
