"""What the services agree on, and nothing else.

Events, the life of a task, generation types, subjects, and the shapes of HTTP and of queries:
everything that two services would break over if they disagreed. Imports pydantic only; no
settings, no I/O, no clock.
"""
