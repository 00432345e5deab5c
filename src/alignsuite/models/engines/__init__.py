"""Inference engines: everything that may stand behind `Model`, one folder or file each."""
