"""Prompt sets: YAML files become cases, and cases become banks."""
