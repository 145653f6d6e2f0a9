"""A soak test: many instances work off a backlog of recordings while faults happen; then every result is checked."""
