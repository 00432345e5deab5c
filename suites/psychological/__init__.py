"""Which character speaks through the answers?"""
