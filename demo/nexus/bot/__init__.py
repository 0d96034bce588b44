"""nexus-bot: the product in Telegram, by webhook."""
