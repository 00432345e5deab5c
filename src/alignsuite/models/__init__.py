"""Models: protocol, registry, engines, store and broker."""
