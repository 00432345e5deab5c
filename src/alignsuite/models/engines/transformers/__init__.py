"""Transformers engine: checkpoints in this process, opened by `engine.open_transformers`.

The files are read without torch, weights with it.
"""
