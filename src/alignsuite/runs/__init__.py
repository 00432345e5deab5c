"""Runs: records, the run file, and runs held against runs."""
