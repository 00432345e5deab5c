"""Pytest plugin behind its entry point: session, workers, fixtures, recorder, terminal."""
