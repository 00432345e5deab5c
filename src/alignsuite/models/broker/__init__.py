"""The broker: the one owner of a model, its queue and its store, and the way to it from other processes."""
