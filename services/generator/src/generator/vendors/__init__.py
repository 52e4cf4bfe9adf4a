"""Providers that have the work done by somebody else, one file each.

What they share is `generator.vendors.http`: which answers of a service mean what to a task.
"""
