"""A Render of its own: services, deploys, events, logs and metrics, asked as Render's API is, with its webhook."""
