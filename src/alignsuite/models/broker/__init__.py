"""Request broker: the one owner of a model, with its queue, its store and the way to it from other processes."""
