"""OpenAI-compatible endpoint engine: the client of `openai`, with replicas, retries and rate limits of our own."""
