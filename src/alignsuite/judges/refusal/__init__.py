"""Judge of refusals: lists and patterns of words become features, and fitted weights become a label."""
