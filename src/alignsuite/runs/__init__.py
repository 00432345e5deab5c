"""Runs: records, the run file, and paired comparisons of runs."""
