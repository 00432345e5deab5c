"""OpenAI-compatible endpoints: one client, several replicas, retries and rate limits of our own."""
