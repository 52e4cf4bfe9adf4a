"""Silence in, timeouts out."""
