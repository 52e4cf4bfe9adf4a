"""HTTP, and nothing else: each function reads a request, asks the parts, writes an answer."""
