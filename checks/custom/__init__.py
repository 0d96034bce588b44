"""Checks of the user's own: kinds that look at anything, given by hand in `monitor.yaml`."""
