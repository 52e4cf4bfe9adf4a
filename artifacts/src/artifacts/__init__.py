"""Bytes at rest: uploads and results in an object store, and what may enter it."""
