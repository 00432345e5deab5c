"""Likert reader: from free text to one option of a rating scale, or to UNREADABLE."""
