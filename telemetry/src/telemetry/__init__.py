"""How every service logs, counts, and tells whether it is ready."""
