"""Judge of praise: for what a text praises a person, by a lexicon."""
