"""The limits of the SQS protocol; apart from the client, which makes connections, for what only respects them."""

MAX_BATCH = 10
# Of one message, and of all messages of a batch together.
MAX_MESSAGE_BYTES = 256 * 1024
