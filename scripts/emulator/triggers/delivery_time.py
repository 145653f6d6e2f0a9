"""The longest time that one delivery can take, for the trigger's client and for the queue; pure."""

# The time for transport, beyond the function's own time.
SPARE_SECONDS = 30


def longest_delivery_seconds(*, timeout_seconds: float, queue_timeout_seconds: float, retry_seconds: float) -> float:
    """The time until the function has answered: the wait for an instance, the run, and the wait after a crash."""
    return timeout_seconds + queue_timeout_seconds + retry_seconds + SPARE_SECONDS


def visibility_timeout_seconds(longest_seconds: float) -> int:
    """The queue's visibility timeout with which no message becomes visible during its delivery."""
    return int(longest_seconds + SPARE_SECONDS)
