"""Makes the archive that is deployed: the function, its dependencies, and bytecode for both."""
