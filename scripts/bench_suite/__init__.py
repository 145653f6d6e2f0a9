"""The benchmark: the documentation's scripts, the function and the limit on the same work; never deployed."""
