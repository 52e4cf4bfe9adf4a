"""What the services agree on: events, lifecycle, generation types, subjects, HTTP shapes."""
