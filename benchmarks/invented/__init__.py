"""An invented world of reports: its words, what is in it, and the graphs that tell of it."""
