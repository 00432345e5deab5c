"""Models and what stands before them: protocol, registry, engines, store, broker."""
