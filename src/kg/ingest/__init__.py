"""A file becomes candidates, and reviewed candidates become a file of the graph.

documents   file → one frozen text and its blocks
extract     blocks → candidates, each with its passage
link        candidate → themes, bodies, what it blocks, what is like it
gate        no candidate without words that stand in the text
review      a person accepts, edits, rejects
record      accepted candidates → sorted Turtle in graph/sources/
"""
