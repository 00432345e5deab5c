"""A language model as judge: the question it is put, and how its answer is read."""
