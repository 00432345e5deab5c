"""This repository's own pytest settings. Its limits stand in `limits.toml`."""

pytest_plugins = ["pytester"]
