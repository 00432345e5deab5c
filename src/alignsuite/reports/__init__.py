"""Reports: documents made from a run. A run goes in, text comes out.

Terminal text, explanations, JUnit properties, comparisons, studies.
"""
