"""Clients of Object Storage and Queues, and nothing else: they decide nothing about what they read and write."""
