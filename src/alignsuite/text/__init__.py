"""Words and numbers for people: amounts, cells of a terminal, progress, text made safe to show."""
