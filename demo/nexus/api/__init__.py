"""nexus-api: the product's HTTP side."""
