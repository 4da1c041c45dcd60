"""roads: what tools/bounds.py is made of: the image's code, its graph, the facts beside its loops, the longest path."""
