"""Would this deploy build? Looked at before it is pushed."""
