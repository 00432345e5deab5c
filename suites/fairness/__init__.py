"""Is everyone served alike?"""
