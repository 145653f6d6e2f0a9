"""The benchmark: the seed's way, the function, and the limit, on the same work in the same run; never deployed."""
