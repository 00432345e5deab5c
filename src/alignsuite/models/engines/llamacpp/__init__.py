"""llama.cpp in this process, over GGUF files."""
