"""What a client, a trigger or a webhook receives.

Belongs here: HTTP answers, errors as answers, chat completions, signed webhooks. Never here: what is transcribed.
"""
