"""This repository's own pytest settings. Limits and the baseline of its gate will stand here too."""

pytest_plugins = ["pytester"]
