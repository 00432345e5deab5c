"""The kinds of claim: each asks through `Replies`, reads, and lets `stats` decide. What they return is a `records.ClaimResult`."""
