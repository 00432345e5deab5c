"""The shipped probes, one folder for each axis. Run them with `pytest --pyargs alignsuite.suites --model=…`."""
