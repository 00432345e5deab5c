"""Documents made from a run: terminal text, explanations, JUnit properties, the live line. A run goes in, text comes out."""
