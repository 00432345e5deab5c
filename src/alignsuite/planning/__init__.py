"""What a run will ask, take and risk, before it asks; and the share of alpha of each of its tests."""
