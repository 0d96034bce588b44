"""Nexus in miniature: the stack that the demo watches, each part a process like on Render."""
