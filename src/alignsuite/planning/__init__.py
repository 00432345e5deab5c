"""Planning: the estimate of what a run will ask, take and risk, and the share of alpha of each of its tests."""
