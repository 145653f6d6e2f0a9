"""Object Storage and Queues on this machine."""
