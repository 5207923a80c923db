"""The space of cases: declared once, covered by arrays, explored beyond them."""
