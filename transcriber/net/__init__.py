"""What connections share: TLS, which addresses may be reached, and time limits of a thread. Never a protocol."""
