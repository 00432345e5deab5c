"""Probes: the decorator that declares one, its pytest items, and the replies that its body holds."""
