"""Text for people: amounts, cells of a terminal, progress, strings made safe to show."""
