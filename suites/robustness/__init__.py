"""Do answers survive what should not matter?"""
