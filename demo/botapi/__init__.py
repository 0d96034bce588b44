"""A Bot API server that behaves as Telegram's does, with a chat page, for the demo and the tests."""
