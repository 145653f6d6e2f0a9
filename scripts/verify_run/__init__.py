"""`scripts/verify`: whether a function can work, and whether a deployed one does, with the cure of each failure."""
