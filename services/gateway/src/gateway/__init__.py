"""The only public door: HTTP in, generation.requested out."""
