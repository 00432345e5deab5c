"""Is harm declined, and only harm?"""
