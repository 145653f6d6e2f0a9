"""The parts of a Scaleway account that a bucket pipeline is made of: each is looked at, made, and removed by itself."""
