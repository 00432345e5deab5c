"""Transformers checkpoints in this process; `engine.open_transformers` is the door. The files are read without torch, weights with it."""
