"""The platform's own endpoints and state: activity, faults, schedules to fire."""
